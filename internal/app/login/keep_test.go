package login

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rookery/internal/app/config"
)

func TestSetVariable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, before, value, want string }{
		{"empty", "", "t", "T=t\n"},
		{"added", "A=1\n", "t", "A=1\nT=t\n"},
		{"added after an open end", "A=1", "t", "A=1\nT=t\n"},
		{"added to lines of Windows", "A=1\r\n", "t", "A=1\r\nT=t\r\n"},
		{"replaced", "A=1\nT=old # mine\nB=2\n", "t", "A=1\nT=t\nB=2\n"},
		{"the last of two", "T=1\nT=2\nTT=3\n", "t", "T=1\nT=t\nTT=3\n"},
		{"not a comment", "# T=1\n", "t", "# T=1\nT=t\n"},
		{"not in a value", "A='\nT'=1\nXT=2", "t", "A='\nT'=1\nXT=2\nT=t\n"},
		{"after a mark", "\ufeffT=1\n", "t", "\ufeffT=t\n"},
		{"odd value", "T=1\n", "a#b $c", "T='a#b $c'\n"},
		{"quote in it", "T=1\n", `a'b"c$d\e`, `T="a'b\"c\$d\\e"` + "\n"},
		{"bytes that are no text", "A=\xff\xfe\nT=1\n", "t", "A=\xff\xfe\nT=t\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := string(setVariable([]byte(c.before), "T", c.value)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// FuzzSetVariable: whatever was in the file, the configuration then reads the
// token, and the other lines are as they were.
func FuzzSetVariable(f *testing.F) {
	for _, s := range []string{"", "A=1\nT=2\n", "export T=x\r\n", "\ufeffT=", "T", "T=1\nT=2", "T='", "\n\n", "export\tT =1"} {
		f.Add(s, "abc#'\"$\\`x")
	}
	main := "data_dir = \"d\"\nenv_file = \"e\"\n[llm]\nbase_url = \"http://127.0.0.1:1/v1\"\nmodel = \"m\"\n[persona]\ncharacter = \"c\"\n" +
		"[[account]]\nname = \"a\"\nserver = \"http://127.0.0.1:1\"\ntoken_env = \"T\"\ndoes = [\"persona\"]\n"
	f.Fuzz(func(t *testing.T, before, token string) {
		token = strings.Map(func(r rune) rune {
			if r <= ' ' || r > '~' {
				return -1
			}
			return r
		}, token)
		if token == "" || len(before)+len(token) > 100_000 {
			return
		}
		after := string(setVariable([]byte(before), "T", token))
		was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
		changed := 0
		for i, line := range was {
			if i < len(is) && is[i] != line {
				changed++
			}
		}
		if changed > 1 {
			t.Fatalf("%d lines were changed: %q became %q", changed, before, after)
		}
		own := t.TempDir()
		for name, text := range map[string]string{"rookery.toml": main, "e": after} {
			if err := os.WriteFile(filepath.Join(own, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c, err := config.Load(own, func(string) (string, bool) { return "", false })
		if err != nil {
			if strings.Contains(err.Error(), "env_file") && !strings.Contains(err.Error(), "token_env") {
				return // other lines were no variables before either
			}
			t.Fatalf("%v: %q", err, after)
		}
		if got := c.Accounts[0].Token.Reveal(); got != token {
			t.Fatalf("%q became %q with token %q, not %q", before, after, got, token)
		}
	})
}
