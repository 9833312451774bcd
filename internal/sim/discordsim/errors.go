package discordsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

var errTrailing = errors.New("there is more after the JSON value")

// answer is what goes back.
type answer struct {
	status int
	ctype  string
	header [][2]string
	body   []byte
	code   int // of a JSON error
}

func (a *answer) set(name, value string) { a.header = append(a.header, [2]string{name, value}) }

// jsonAnswer writes a value. What is written comes from this package, so a
// value that is no JSON is a mistake of it.
func jsonAnswer(status int, v any) *answer {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("discordsim: write an answer: %v", err))
	}
	return &answer{status: status, ctype: "application/json", body: body}
}

func noContent() *answer { return &answer{status: http.StatusNoContent} }

// codeText are the codes that the simulator answers with, and their texts.
// Source: topics/opcodes-and-status-codes#json.
func codeText(code int) (status int, text string) {
	switch code {
	case 10003:
		return 404, "Unknown Channel"
	case 10004:
		return 404, "Unknown Guild"
	case 10007:
		return 404, "Unknown Member"
	case 10008:
		return 404, "Unknown Message"
	case 10011:
		return 404, "Unknown Role"
	case 10013:
		return 404, "Unknown User"
	case 10014:
		return 400, "Unknown Emoji"
	case 10015:
		return 404, "Unknown Webhook"
	case 10002:
		return 404, "Unknown Application"
	case 10062:
		return 404, "Unknown interaction"
	case 10063:
		return 404, "Unknown application command"
	case 30003:
		return 400, "Maximum number of pins reached for the channel (50)"
	case 30010:
		return 400, "Maximum number of reactions reached (20)"
	case 30032:
		return 400, "Maximum number of application commands reached (100)"
	case 30034:
		return 400, "Max number of daily application command creates has been reached (200)"
	case 40005:
		return 413, "Request entity too large"
	case 40060:
		return 400, "Interaction has already been acknowledged."
	case 40333:
		return 403, "internal network error"
	case 50001:
		return 403, "Missing Access"
	case 50003:
		return 403, "Cannot execute action on a DM channel"
	case 50005:
		return 403, "Cannot edit a message authored by another user"
	case 50006:
		return 400, "Cannot send an empty message"
	case 50007:
		return 403, "Cannot send messages to this user"
	case 50008:
		return 400, "Cannot send messages in a non-text channel"
	case 50013:
		return 403, "Missing Permissions"
	case 50019:
		return 400, "A message can only be pinned to the channel it was sent in"
	case 50021:
		return 403, "Cannot execute action on a system message"
	case 50024:
		return 400, "Cannot execute action on this channel type"
	case 50027:
		return 401, "Invalid Webhook Token"
	case 50035:
		return 400, "Invalid Form Body"
	case 50041:
		return 400, "Invalid API version"
	case 50083:
		return 400, "Thread is archived"
	case 50109:
		return 400, "The request body contains invalid JSON."
	case 160004:
		return 400, "A thread has already been created for this message"
	case 160005:
		return 400, "Thread is locked"
	case 160006:
		return 400, "Maximum number of active threads reached"
	}
	return http.StatusBadRequest, "Error"
}

// fail answers with a code of the documentation.
func fail(code int) *answer {
	status, text := codeText(code)
	return failWith(status, code, text)
}

// failWith answers with a code under another status or text.
func failWith(status, code int, text string) *answer {
	a := jsonAnswer(status, obj{"message": text, "code": code})
	a.code = code
	return a
}

// plainFail is an error of the status alone: {"message": "401: Unauthorized", "code": 0}.
func plainFail(status int) *answer {
	return failWith(status, 0, strconv.Itoa(status)+": "+http.StatusText(status))
}

// formErrors collects what is wrong with a body, by field. Source:
// reference#error-messages.
type formErrors struct {
	tree  obj
	first string
}

func newFormErrors() *formErrors { return &formErrors{tree: obj{}} }

// add notes a mistake at a place such as "embeds.0.title"; "" is the body itself.
func (e *formErrors) add(at, code, text string) {
	node := e.tree
	if at != "" {
		for _, part := range strings.Split(at, ".") {
			next, ok := node[part].(obj)
			if !ok {
				next = obj{}
				node[part] = next
			}
			node = next
		}
	}
	list, _ := node["_errors"].([]any)
	node["_errors"] = append(list, obj{"code": code, "message": text})
	if e.first == "" {
		e.first = at + ": " + text
	}
}

func (e *formErrors) required(at string) {
	e.add(at, "BASE_TYPE_REQUIRED", "This field is required")
}

func (e *formErrors) choice(at string, values ...any) {
	var texts []string
	for _, v := range values {
		texts = append(texts, fmt.Sprint(v))
	}
	e.add(at, "BASE_TYPE_CHOICES", "Value must be one of {"+strings.Join(texts, ", ")+"}.")
}

// length checks a text's length; it reports whether it is right.
func (e *formErrors) length(at, text string, least, most int) bool {
	n := textLen(text)
	switch {
	case n < least && least == 1:
		e.required(at)
	case n < least && most > 0:
		e.add(at, "BASE_TYPE_BAD_LENGTH", fmt.Sprintf("Must be between %d and %d in length.", least, most))
	case n > most && least > 0:
		e.add(at, "BASE_TYPE_BAD_LENGTH", fmt.Sprintf("Must be between %d and %d in length.", least, most))
	case n > most:
		e.add(at, "BASE_TYPE_MAX_LENGTH", fmt.Sprintf("Must be %d or fewer in length.", most))
	default:
		return true
	}
	return false
}

// textLen counts a text in characters of UTF-16: the documentation does not say
// how the server counts, and this is the stricter of the usual ways.
func textLen(text string) int { return len(utf16.Encode([]rune(text))) }

// any reports whether something is wrong.
func (e *formErrors) any() bool { return len(e.tree) > 0 }

// answer is a 50035 with everything that was noted; nil when nothing was.
func (e *formErrors) answer() *answer {
	if !e.any() {
		return nil
	}
	a := jsonAnswer(http.StatusBadRequest, obj{"message": "Invalid Form Body", "code": 50035, "errors": e.tree})
	a.code = 50035
	return a
}

// text reads a field that is a text; absent and null are "".
func (e *formErrors) text(body obj, name, at string) string {
	v, ok := body[name]
	if !ok || v == nil {
		return ""
	}
	t, ok := v.(string)
	if !ok {
		if n, isNumber := v.(json.Number); isNumber {
			return n.String() // numbers are taken for texts
		}
		e.add(at, "STRING_TYPE_CONVERT", "Could not interpret \""+fmt.Sprint(v)+"\" as string.")
	}
	return t
}

// flag reads a field that is true or false.
func (e *formErrors) flag(body obj, name, at string) bool {
	v, ok := body[name]
	if !ok || v == nil {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		e.add(at, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
	}
	return b
}

// number reads a field that is a whole number; ok is false when there is none.
func (e *formErrors) number(body obj, name, at string) (n int64, ok bool) {
	v, there := body[name]
	if !there || v == nil {
		return 0, false
	}
	text := ""
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	case int:
		return int64(v), true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		e.add(at, "NUMBER_TYPE_COERCE", "Value \""+fmt.Sprint(v)+"\" is not int.")
		return 0, false
	}
	return n, true
}

// id reads a field that is an id.
func (e *formErrors) id(body obj, name, at string) string {
	v, ok := body[name]
	if !ok || v == nil {
		return ""
	}
	text := textOf(v)
	if n, isNumber := v.(json.Number); isNumber {
		text = n.String()
	}
	if !isSnowflake(text) {
		e.add(at, "NUMBER_TYPE_COERCE", "Value \""+fmt.Sprint(v)+"\" is not snowflake.")
		return ""
	}
	return text
}

// objects reads a field that is a list of objects.
func (e *formErrors) objects(body obj, name, at string) []obj {
	v, ok := body[name]
	if !ok || v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		e.add(at, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
		return nil
	}
	var out []obj
	for i, item := range list {
		o, ok := item.(obj)
		if !ok {
			e.add(at+"."+strconv.Itoa(i), "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
			return nil
		}
		out = append(out, o)
	}
	return out
}

// texts reads a field that is a list of texts, ids for example.
func (e *formErrors) texts(body obj, name, at string) []string {
	v, ok := body[name]
	if !ok || v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		e.add(at, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
		return nil
	}
	var out []string
	for i, item := range list {
		switch item := item.(type) {
		case string:
			out = append(out, item)
		case json.Number:
			out = append(out, item.String())
		default:
			e.add(at+"."+strconv.Itoa(i), "STRING_TYPE_CONVERT", "Could not interpret as string.")
		}
	}
	return out
}

// oneOf reports whether a value is one of some.
func oneOf[T comparable](v T, values ...T) bool { return slices.Contains(values, v) }
