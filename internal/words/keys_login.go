package words

// What “rookery login” says while an operator logs an account in.
const (
	LoginOpen         Key = "login.open"          // {server}; the address follows
	LoginCode         Key = "login.code"          // the operator types after it
	LoginWrong        Key = "login.wrong"         // {n} tries that are left
	LoginWho          Key = "login.who"           // {handle}
	LoginOther        Key = "login.other"         // {account} its name in the configuration, {was} and {is} handles
	LoginGoOn         Key = "login.go_on"         // the operator types y or n after it
	LoginKept         Key = "login.kept"          // {file}
	LoginKeptVariable Key = "login.kept_variable" // {variable}, {file}
	LoginOverruled    Key = "login.overruled"     // {variable}
	LoginRestart      Key = "login.restart"
	LoginPaste        Key = "login.paste" // the section follows
)
