package discordsim

import (
	"bytes"
	"context"
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

// request is one of the REST API, read whole, so that it can be carried out
// after the client has gone.
type request struct {
	r      *http.Request
	ctx    context.Context
	method string
	path   string
	query  url.Values
	header http.Header
	route  *route // nil for a path that is not served
	vars   map[string]string
	body   []byte

	form     *form // of a multipart body, once read
	formErr  *answer
	formRead bool
	limits   *bucketState // how it stands with its bucket
	scope    string       // of a refusal by a limit
	arrived  time.Time
}

// id is a parameter of the path.
func (q *request) id(name string) string { return q.vars[name] }

// limit is the query parameter of that name, in its bounds; a value outside of
// them is an answer.
func (q *request) limit(def, least, most int) (int, *answer) {
	text := q.query.Get("limit")
	if text == "" {
		return def, nil
	}
	errs := newFormErrors()
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		errs.add("limit", "NUMBER_TYPE_COERCE", "Value \""+text+"\" is not int.")
	case n < least:
		errs.add("limit", "NUMBER_TYPE_MIN", "int value should be greater than or equal to "+strconv.Itoa(least)+".")
	case n > most:
		errs.add("limit", "NUMBER_TYPE_MAX", "int value should be less than or equal to "+strconv.Itoa(most)+".")
	}
	return n, errs.answer()
}

// snowflake is a query parameter that is an id; "" when it is absent.
func (q *request) snowflake(name string) (string, *answer) {
	text := q.query.Get(name)
	if text == "" || isSnowflake(text) {
		return text, nil
	}
	errs := newFormErrors()
	errs.add(name, "NUMBER_TYPE_COERCE", "Value \""+text+"\" is not snowflake.")
	return "", errs.answer()
}

// form is a body: its JSON and its files. Source: reference#uploading-files.
type form struct {
	fields obj
	list   []any // when the JSON is a list
	files  map[string]upload
	order  []string // of the files' numbers
}

// object is a body that is a JSON object, in a multipart form or alone. An
// empty body is an empty object.
func (q *request) object() (obj, *answer) {
	f, bad := q.readForm()
	if bad != nil {
		return nil, bad
	}
	if f.fields == nil {
		errs := newFormErrors()
		errs.add("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
		return nil, errs.answer()
	}
	return f.fields, nil
}

// readForm reads the body once.
func (q *request) readForm() (*form, *answer) {
	if !q.formRead {
		q.formRead = true
		q.form, q.formErr = parseForm(q.header.Get("Content-Type"), q.body)
	}
	return q.form, q.formErr
}

func badContentType(got string) *answer {
	errs := newFormErrors()
	errs.add("_misc", "CONTENT_TYPE_INVALID", "Expected \"Content-Type\" header to be one of {'application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'}, got \""+got+"\".")
	return errs.answer()
}

// parseForm reads a body of one of the kinds that the API takes. Source:
// reference#consistency and reference#uploading-files.
func parseForm(ctype string, body []byte) (*form, *answer) {
	if len(body) == 0 {
		return &form{fields: obj{}}, nil
	}
	kind, params, err := mime.ParseMediaType(ctype)
	if err != nil {
		return nil, badContentType(ctype)
	}
	switch kind {
	case "application/json":
		return parseJSONForm(body)
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, badContentType(ctype)
		}
		f := &form{fields: obj{}}
		for k, v := range values {
			f.fields[k] = v[0]
		}
		return f, nil
	case "multipart/form-data":
		return parseMultipart(params["boundary"], body)
	}
	return nil, badContentType(ctype)
}

func parseJSONForm(body []byte) (*form, *answer) {
	v, err := decodeJSON(body)
	if err != nil {
		return nil, failWith(http.StatusBadRequest, 50109, "The request body contains invalid JSON.")
	}
	switch v := v.(type) {
	case obj:
		return &form{fields: v}, nil
	case []any:
		return &form{list: v}, nil
	}
	return &form{}, nil
}

func parseMultipart(boundary string, body []byte) (*form, *answer) {
	broken := func() (*form, *answer) {
		errs := newFormErrors()
		errs.add("", "MULTIPART_INVALID", "The multipart body could not be read.")
		return nil, errs.answer()
	}
	if boundary == "" {
		return broken()
	}
	f := &form{fields: obj{}, files: map[string]upload{}}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	var payload []byte
	parts := 0
	for {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return broken()
		}
		parts++
		data, err := io.ReadAll(part)
		if err != nil {
			return broken()
		}
		name, filename := part.FormName(), part.FileName()
		switch {
		case filename != "":
			number, ok := strings.CutPrefix(name, "files[")
			number = strings.TrimSuffix(number, "]")
			if !ok {
				number = strconv.Itoa(len(f.order)) // "file" and "file1", as clients of old
			}
			if _, twice := f.files[number]; twice {
				return broken()
			}
			f.files[number] = upload{name: filename, ctype: part.Header.Get("Content-Type"), data: data}
			f.order = append(f.order, number)
		case name == "payload_json":
			payload = data
		case name != "":
			f.fields[name] = string(data)
		}
	}
	if parts == 0 {
		return broken()
	}
	if payload == nil {
		return f, nil
	}
	in, bad := parseJSONForm(payload)
	if bad != nil {
		return nil, bad
	}
	f.list = in.list
	if in.fields == nil {
		f.fields = nil
	}
	for k, v := range in.fields {
		f.fields[k] = v
	}
	return f, nil
}

// serveREST runs a request past faults, limits, token and handler.
func (s *Server) serveREST(w http.ResponseWriter, q *request, known bool) {
	q.arrived = s.now()
	body, err := io.ReadAll(http.MaxBytesReader(w, q.r.Body, requestCap+formOverhead))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			s.send(w, q, fail(40005), "")
			return
		}
		panic(http.ErrAbortHandler) // the client left while sending
	}
	q.body = body
	if !s.pause(q.ctx, s.opt.Latency) {
		panic(http.ErrAbortHandler)
	}
	if f := s.strike(q); f != nil {
		s.serveFault(w, q, f, known)
		return
	}
	s.send(w, q, s.do(q, known), "")
}

// do carries a request out.
func (s *Server) do(q *request, known bool) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.banned(); a != nil {
		return a
	}
	a := s.doHonestly(q, known)
	s.limitHeaders(q, a)
	s.countInvalid(q, a)
	s.change()
	return a
}

func (s *Server) doHonestly(q *request, known bool) *answer {
	switch {
	case !strings.HasPrefix(q.path, apiBase+"/"):
		return fail(50041)
	case q.route == nil && known:
		return plainFail(http.StatusMethodNotAllowed)
	case q.route == nil:
		return plainFail(http.StatusNotFound)
	}
	// Source: reference#user-agent.
	if !strings.HasPrefix(q.header.Get("User-Agent"), "DiscordBot (") {
		return fail(40333)
	}
	if a := s.limit(q); a != nil {
		return a
	}
	if !q.route.public && !s.authorized(q) {
		return plainFail(http.StatusUnauthorized)
	}
	errs := newFormErrors()
	for name, v := range q.vars {
		if strings.HasSuffix(name, "_id") && !isSnowflake(v) {
			errs.add(name, "NUMBER_TYPE_COERCE", "Value \""+v+"\" is not snowflake.")
		}
	}
	if a := errs.answer(); a != nil {
		return a
	}
	return q.route.handle(q)
}

// authorized reports whether the request has the bot's token. Source:
// reference#authentication.
func (s *Server) authorized(q *request) bool {
	return !s.revoked && q.header.Get("Authorization") == "Bot "+s.token
}

// send tells the log, then the client.
func (s *Server) send(w http.ResponseWriter, q *request, a *answer, fault string) {
	s.record(q, a, fault)
	h := w.Header()
	for _, kv := range a.header {
		h[kv[0]] = []string{kv[1]}
	}
	if a.ctype != "" {
		h.Set("Content-Type", a.ctype)
	}
	h.Set("Date", s.now().Format(http.TimeFormat))
	w.WriteHeader(a.status)
	w.Write(a.body) // a client that has gone is its own affair
}
