package fedisim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Exchange is one request and its answer, whole.
type Exchange struct {
	Profile         Profile
	Method          string
	Path            string // as the client sent it, without the query
	Query           string
	ReqContentType  string
	ReqBody         []byte // nil when it is an upload of more than 1 MiB
	Status          int    // 0 when the connection was cut or the client left
	RespContentType string
	RespBody        []byte
	Fault           string // what was made to go wrong; empty for an honest answer
}

// Request is one line of the log that Requests returns.
type Request struct {
	At             time.Time
	Method, Path   string
	Query          string
	Status         int    // 0 when the connection was cut or the client left
	Acct           string // who asked; empty without a valid token
	IdempotencyKey string
	Body           string // at most 16 KiB; of an upload the form, with the file's name in place of its bytes
	Limited        string // of a 429 of Options.RateLimits: "general", "account", "paged", "post", "delete" or "media"
	Fault          string
}

// requestLog keeps the newest requests: it drops a half when it is full.
type requestLog struct {
	max     int
	list    []Request
	dropped int
}

// Requests lists the newest requests, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.log.list...)
}

// RequestCount is how many requests there ever were.
func (s *Server) RequestCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.dropped + len(s.log.list)
}

func (s *Server) record(q *request, a *answer, fault string) {
	if a == nil {
		a = &answer{}
	}
	s.mu.Lock()
	l := &s.log
	if len(l.list) >= l.max {
		half := (l.max + 1) / 2
		l.dropped += half
		l.list = append(l.list[:0], l.list[half:]...)
	}
	body := q.body
	if q.uploads() {
		body = q.formOfUpload()
	}
	if len(body) > logBodyCap {
		body = body[:logBodyCap]
	}
	acct := ""
	if who := s.tokens[q.token]; who != nil {
		acct = who.Acct
	}
	l.list = append(l.list, Request{
		At: s.now(), Method: q.method, Path: q.path, Query: q.rawQuery, Status: a.status, Acct: acct,
		IdempotencyKey: q.idempotencyKey, Body: string(body), Fault: fault, Limited: q.limited,
	})
	s.change()
	s.mu.Unlock()
	if s.opt.Log != nil {
		s.opt.Log.Debug("simulated request", "method", q.method, "path", q.path, "query", q.rawQuery, "status", a.status, "fault", fault)
	}
	if s.opt.Observe != nil {
		s.opt.Observe(Exchange{
			Profile: s.profile, Method: q.method, Path: q.path, Query: q.rawQuery, ReqContentType: q.ctype, ReqBody: q.body,
			Status: a.status, RespContentType: a.ctype, RespBody: a.body, Fault: fault,
		})
	}
}

// request is a client's request, read whole, so that it can be carried out
// after the client has gone.
type request struct {
	r              *http.Request
	method         string
	path           string // as sent
	route          string // without a trailing slash
	rawQuery       string
	host           string
	ip             string
	ctype          string
	token          string
	protocol       string // what a stream agrees to
	limited        string // by which rate limit it was refused
	idempotencyKey string
	body           []byte
	params         url.Values // of the query and of the body
	badBody        bool
	isJSON         bool
	attributes     []map[string]string // media_attributes, in order
	file           *upload             // of an upload; nil when none was sent
	failProcessing bool                // what is uploaded cannot be processed
}

func newRequest(r *http.Request) *request {
	q := &request{
		r: r, method: r.Method, path: r.URL.EscapedPath(), route: r.URL.Path, rawQuery: r.URL.RawQuery, host: r.Host,
		ctype: r.Header.Get("Content-Type"), idempotencyKey: r.Header.Get("Idempotency-Key"),
	}
	q.ip, _, _ = strings.Cut(r.RemoteAddr, ":")
	if len(q.route) > 1 {
		q.route = strings.TrimSuffix(q.route, "/")
	}
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		q.token = strings.TrimSpace(token)
	}
	q.params, _ = url.ParseQuery(r.URL.RawQuery) // the readable part, as servers do
	q.attributesForm(r.URL.RawQuery)
	if q.params == nil {
		q.params = url.Values{}
	}
	return q
}

// parse understands the three forms that servers accept.
func (q *request) parse(body []byte) {
	q.body = body
	if len(q.body) == 0 {
		return
	}
	kind, attrs, err := mime.ParseMediaType(q.ctype)
	if err != nil {
		kind = ""
	}
	switch kind {
	case "application/json":
		var doc map[string]any
		d := json.NewDecoder(bytes.NewReader(q.body))
		d.UseNumber()
		if d.Decode(&doc) != nil {
			q.badBody = true
			return
		}
		q.isJSON = true
		q.attributesJSON(doc["media_attributes"])
		for k, v := range doc {
			q.addJSON(k, v)
		}
	case "multipart/form-data":
		mr := multipart.NewReader(bytes.NewReader(q.body), attrs["boundary"])
		for {
			p, err := mr.NextPart()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				q.badBody = true
				return
			}
			if p.FileName() != "" {
				continue
			}
			v, err := io.ReadAll(p)
			if err != nil {
				q.badBody = true
				return
			}
			q.params.Add(p.FormName(), string(v))
			q.attribute(p.FormName(), string(v))
		}
	case "application/x-www-form-urlencoded":
		q.attributesForm(string(q.body))
		form, err := url.ParseQuery(string(q.body))
		q.badBody = err != nil
		for k, v := range form {
			q.params[k] = append(q.params[k], v...)
		}
	}
}

// addJSON writes a JSON value the way a form would have it: lists as "name[]",
// a list's objects as "name[][field]".
func (q *request) addJSON(name string, v any) {
	switch v := v.(type) {
	case nil:
	case string:
		q.params.Add(name, v)
	case json.Number:
		q.params.Add(name, v.String())
	case bool:
		q.params.Add(name, strconv.FormatBool(v))
	case []any:
		q.params[name+"[]"] = append(q.params[name+"[]"], nil...) // an empty list was sent too
		for _, e := range v {
			q.addJSON(name+"[]", e)
		}
	case map[string]any:
		for k, e := range v {
			q.addJSON(name+"["+k+"]", e)
		}
	}
}

func (q *request) get(name string) string { return q.params.Get(name) }

// flag reads a boolean as Rails does.
func (q *request) flag(name string) bool {
	switch strings.ToLower(q.get(name)) {
	case "", "false", "f", "0", "off", "no":
		return false
	}
	return true
}

// many reads a list: "name[]", or "name" once or more.
func (q *request) many(name string) []string {
	return append(append([]string(nil), q.params[name+"[]"]...), q.params[name]...)
}

// answer is what goes back.
type answer struct {
	status int
	ctype  string
	header [][2]string // canonical names
	body   []byte
	whole  int // length that the headers promise, where it is more than the body's
}

const jsonType = "application/json; charset=utf-8"

func jsonAnswer(body []byte) *answer { return &answer{status: 200, ctype: jsonType, body: body} }

func jsonText(body string) *answer { return jsonAnswer([]byte(body)) }

func (a *answer) set(name, value string) {
	a.header = append(a.header, [2]string{http.CanonicalHeaderKey(name), value})
}

// page is where in a list a client wants to be.
type page struct {
	maxID, minID, sinceID string
	limit                 int
}

func (q *request) page(def, most int) page {
	p := page{maxID: q.get("max_id"), minID: q.get("min_id"), sinceID: q.get("since_id"), limit: def}
	if n, err := strconv.Atoi(q.get("limit")); err == nil && n > 0 {
		p.limit = min(n, most)
	}
	return p
}

// links is the Link header of a page; keep names the parameters it carries over.
func (q *request) links(first, last string, more bool, keep ...string) string {
	v := url.Values{}
	for _, k := range keep {
		if got, ok := q.params[k]; ok {
			v[k] = got
		}
	}
	at := func(name, id string) string {
		v.Set(name, id)
		defer v.Del(name)
		return "<http://" + q.host + q.route + "?" + v.Encode() + ">"
	}
	prev := at("min_id", first) + `; rel="prev"`
	if !more {
		return prev
	}
	return at("max_id", last) + `; rel="next", ` + prev
}
