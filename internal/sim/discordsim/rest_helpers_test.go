package discordsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"rookery/internal/sim/apicheck"
)

// restClient speaks to a Server's REST API with nothing but net/http, and holds
// every exchange against the published description where there is one.
type restClient struct {
	t     *testing.T
	s     *Server
	agent string
	auth  string
}

// published is the description, loaded once; nil without the folder of it.
var published = sync.OnceValues(func() (*apicheck.Spec, error) {
	dir := os.Getenv(apicheck.Variable)
	if dir == "" {
		return nil, nil
	}
	return apicheck.Discord(dir)
})

// reply is what a request got.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error
}

func newRESTClient(t *testing.T, opt Options) *restClient {
	t.Helper()
	spec, err := published()
	if err != nil {
		t.Fatal(err)
	}
	opt.Observe = func(e Exchange) { checkExchange(t, spec, e) }
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &restClient{t: t, s: s, agent: "DiscordBot (https://example.org, 1)", auth: "Bot " + s.Token()}
}

// checkExchange holds an honest exchange against the description.
func checkExchange(t *testing.T, spec *apicheck.Spec, e Exchange) {
	if spec == nil || e.Fault != "" || e.Status == 0 || e.Status >= 500 || strings.HasSuffix(e.Path, "/refresh-urls") || e.Route == "" {
		return
	}
	if e.Status < 300 && e.Method != http.MethodGet && e.Fields != "" {
		if err := spec.CheckRequest(e.Method, e.Path, e.Query, "application/json", []byte(e.Fields)); err != nil {
			t.Errorf("the test's own request: %v", err)
		}
	}
	if e.Status == http.StatusNoContent || e.Status == http.StatusTooManyRequests {
		return
	}
	err := spec.CheckResponse(e.Method, e.Path, e.Status, e.Answer)
	if errors.Is(err, apicheck.ErrUnknownPath) && (e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed) {
		return
	}
	if err != nil {
		t.Errorf("%v\n%.600s", err, e.Answer)
	}
}

// send makes one request. A body that is a text is sent as it is, as JSON.
func (c *restClient) send(method, path, ctype string, body []byte) reply {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.s.URL()+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("User-Agent", c.agent)
	if c.auth != "" {
		r.Header.Set("Authorization", c.auth)
	}
	if ctype != "" {
		r.Header.Set("Content-Type", ctype)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return reply{status: res.StatusCode, header: res.Header, body: data, err: err}
}

// do sends JSON, or nothing for "".
func (c *restClient) do(method, path, body string) reply {
	c.t.Helper()
	if body == "" {
		return c.send(method, path, "", nil)
	}
	return c.send(method, path, "application/json", []byte(body))
}

// upload sends a form with files named 0, 1, 2 …
func (c *restClient) upload(method, path, payload string, files ...File) reply {
	c.t.Helper()
	ctype, body := multipartBody(c.t, payload, files...)
	return c.send(method, path, ctype, body)
}

func multipartBody(t testing.TB, payload string, files ...File) (ctype string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if payload != "" {
		if err := w.WriteField("payload_json", payload); err != nil {
			t.Fatal(err)
		}
	}
	for i, f := range files {
		part, err := w.CreateFormFile("files["+string(rune('0'+i))+"]", f.Name)
		if err == nil {
			_, err = part.Write(f.Data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.Bytes()
}

// is ends the test unless the answer has the status and, above 399, the code.
func (c *restClient) is(r reply, status, code int) {
	c.t.Helper()
	if r.err != nil {
		c.t.Fatal(r.err)
	}
	var e struct{ Code int }
	if status >= 400 {
		if err := json.Unmarshal(r.body, &e); err != nil {
			c.t.Fatalf("%d %s: %v", r.status, r.body, err)
		}
	}
	if r.status != status || e.Code != code {
		c.t.Fatalf("got %d %s, want %d, code %d", r.status, r.body, status, code)
	}
}

// ok is an object that came with 200 or 201.
func (c *restClient) ok(r reply) obj {
	c.t.Helper()
	if r.err != nil || r.status != http.StatusOK && r.status != http.StatusCreated {
		c.t.Fatalf("got %d %s, %v", r.status, r.body, r.err)
	}
	return asObj(r.json(c.t))
}

// list is a list that came with 200.
func (c *restClient) list(r reply) []any {
	c.t.Helper()
	if r.err != nil || r.status != http.StatusOK {
		c.t.Fatalf("got %d %s, %v", r.status, r.body, r.err)
	}
	list, _ := r.json(c.t).([]any)
	return list
}

func (r reply) json(t *testing.T) any {
	t.Helper()
	v, err := decodeJSON(r.body)
	if err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return v
}

// field follows a dotted path through an answer, such as "errors.content._errors.0.code".
func field(v any, path string) any {
	for _, name := range strings.Split(path, ".") {
		switch in := v.(type) {
		case obj:
			v = in[name]
		case []any:
			i := int(name[0] - '0')
			if i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// places are the ids of a small world.
type places struct {
	guild, general, ada, bob string
}

const botMay = ViewChannel | SendMessages | SendMessagesInThreads | EmbedLinks | AttachFiles | ReadMessageHistory | AddReactions | CreatePublicThreads

// small makes a guild with a channel, two members and the bot.
func small(s *Server) places {
	p := places{guild: s.AddGuild("Owls"), ada: s.AddUser("ada"), bob: s.AddUser("bob")}
	p.general = s.AddChannel(p.guild, "general", Text)
	s.Join(p.guild, p.ada)
	s.Join(p.guild, p.bob)
	s.BotJoins(p.guild, botMay)
	return p
}

// saying posts for a user, who may.
func saying(t *testing.T, s *Server, user, channel string, d Draft) string {
	t.Helper()
	id, err := s.Say(user, channel, d)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
