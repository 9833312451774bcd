package apicheck

import (
	"bytes"
	"errors"
	"fmt"
	"mime/multipart"
	"strings"
	"sync"
	"testing"
)

// aviary is a small description in the words of OpenAPI 3.0, with what 3.1
// writes in another way.
const aviary = `{
  "openapi": "3.0.3",
  "servers": [{"url": "https://{host}/v1/"}],
  "paths": {
    "/owls/{id}": {
      "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}, {"$ref": "#/components/parameters/Verbose"}],
      "get": {
        "responses": {
          "200": {"content": {"application/json; charset=utf-8": {"schema": {"$ref": "#/components/schemas/Owl"}}}},
          "204": {"description": "gone for a flight"},
          "4XX": {"$ref": "#/components/responses/Error"}
        }
      }
    },
    "/owls/random": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"type": "object", "required": ["luck"]}}}}}}},
    "/owls.{format}": {"get": {"responses": {"default": {"content": {"text/csv": {}}}}}},
    "/owls": {
      "get": {
        "parameters": [
          {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 0, "exclusiveMinimum": true}},
          {"name": "kinds[]", "in": "query", "schema": {"type": "array", "items": {"type": "string", "enum": ["barn", "eagle"]}}},
          {"name": "awake", "in": "query", "required": true, "schema": {"type": "boolean"}}
        ],
        "responses": {"200": {"content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Owl"}}}}}}
      },
      "post": {
        "requestBody": {"$ref": "#/components/requestBodies/NewOwl"},
        "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Owl"}}}}}
      }
    },
    "/free": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}, "responses": {}}},
    "/broken": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Nothing"}}}}}}}
  },
  "components": {
    "parameters": {"Verbose": {"name": "verbose", "in": "query", "schema": {"type": "boolean"}}},
    "responses": {"Error": {"content": {"application/json": {"schema": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}}}}},
    "requestBodies": {"NewOwl": {"required": true, "content": {
      "application/json": {"schema": {"$ref": "#/components/schemas/NewOwl"}},
      "application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/NewOwl"}},
      "multipart/form-data": {"schema": {"$ref": "#/components/schemas/NewOwl"}}
    }}},
    "schemas": {
      "Named": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
      "NewOwl": {"allOf": [{"$ref": "#/components/schemas/Named"}, {"type": "object", "properties": {
        "age": {"type": "integer", "nullable": true},
        "tame": {"type": "boolean"},
        "nests": {"type": "array", "items": {"type": "object", "properties": {"tree": {"type": "string"}, "height": {"type": "number"}}}},
        "colours": {"type": "array", "items": {"type": "string"}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "photo": {"type": "string", "format": "binary"}
      }}]},
      "Owl": {"type": "object", "required": ["id", "mate", "mood"], "properties": {
        "id": {"type": "string"},
        "mate": {"$ref": "#/components/schemas/Owl", "nullable": true},
        "mood": {"type": "string", "enum": ["calm", "cross"], "nullable": true},
        "seen": {"type": "string", "format": "date-time"},
        "food": {"oneOf": [{"type": "object", "required": ["mice"], "properties": {"mice": {"type": "integer"}}}, {"type": "string"}]}
      }}
    }
  }
}`

func load(t *testing.T) *Spec {
	t.Helper()
	s, err := Load([]byte(aviary))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// is reports whether an error holds a text; "" stands for no error.
func is(err error, want string) bool {
	if want == "" || err == nil {
		return want == "" && err == nil
	}
	return strings.Contains(err.Error(), want)
}

func TestResponses(t *testing.T) {
	t.Parallel()
	s := load(t)
	for _, c := range []struct {
		path   string
		status int
		body   string
		want   string
	}{
		{"/v1/owls/7", 200, `{"id":"7","mate":null,"mood":null}`, ""},
		{"/v1/owls/7", 200, `{"id":"7","mate":{"id":"8","mate":null,"mood":"calm"},"mood":"cross","new":1}`, ""},
		{"/v1/owls/7", 200, `{"id":7,"mate":null,"mood":null}`, "$.id: got number, want string"},
		{"/v1/owls/7", 200, `{"id":"7","mate":{"id":"8","mood":"calm"},"mood":"cross"}`, "$.mate: missing property 'mate'"},
		{"/v1/owls/7", 200, `{"id":"7","mate":null,"mood":"sad"}`, "$.mood: value must be one of"},
		{"/v1/owls/7", 200, `{"id":"7","mate":null,"mood":null,"seen":"yesterday"}`, "$.seen: 'yesterday' is not valid date-time"},
		{"/v1/owls/7", 200, `{"id":"7","mate":null,"mood":null,"food":{"mice":"two"}}`, "$.food.mice: got string, want integer"},
		{"/v1/owls/7", 200, `{`, "unexpected EOF"},
		{"/v1/owls/7", 204, ``, ""},
		{"/v1/owls/7", 404, `{"error":"flown"}`, ""},
		{"/v1/owls/7", 404, `{}`, "missing property 'error'"},
		{"/v1/owls/7", 500, `{}`, ErrUnknownStatus.Error()},
		{"/v1/owls/random", 200, `{}`, "missing property 'luck'"},
		{"/v1/owls", 200, `[{"id":"1","mate":null,"mood":null},{}]`, "$[1]: missing properties 'id', 'mate', 'mood'"},
		{"/v1/owls.csv", 200, "id\n7\n", ""},
		{"/v1/owls.", 200, "", ErrUnknownPath.Error()},
		{"/v1/owls/", 200, "", ErrUnknownPath.Error()},
		{"/v1/owls/7/mate", 200, "", ErrUnknownPath.Error()},
		{"/owls", 200, "[]", ErrUnknownPath.Error()},
		{"/v1", 200, "[]", ErrUnknownPath.Error()},
		{"/v1/broken", 200, "{}", "the description cannot be used here"},
	} {
		if err := s.CheckResponse("GET", c.path, c.status, []byte(c.body)); !is(err, c.want) {
			t.Errorf("%s %d %s: got %v, want %q", c.path, c.status, c.body, err, c.want)
		}
	}
	if err := s.CheckResponse("DELETE", "/v1/owls/7", 200, nil); !errors.Is(err, ErrUnknownPath) {
		t.Errorf("an unknown method: %v", err)
	}
	if err := s.CheckResponse("GET", "/v1/owls/7", 302, nil); !errors.Is(err, ErrUnknownStatus) {
		t.Errorf("an unknown status: %v", err)
	}
}

func TestOnlyTheLikelyBranchIsTold(t *testing.T) {
	t.Parallel()
	err := load(t).CheckResponse("GET", "/v1/owls/7", 200, []byte(`{"id":"7","mate":null,"mood":null,"food":{"mice":"two"}}`))
	if want := "answer 200 to GET /v1/owls/7: $.food.mice: got string, want integer"; !is(err, want) || len(err.Error()) != len(want) {
		t.Errorf("got %v", err)
	}
}

func TestUnknownFieldsOfAnAnswer(t *testing.T) {
	t.Parallel()
	got, err := load(t).UnknownInResponse("GET", "/v1/owls", 200,
		[]byte(`[{"id":"1","mate":{"id":"2","mate":null,"mood":null,"wings":2},"mood":null,"zip":{"a":1}}]`))
	if err != nil || fmt.Sprint(got) != "[$[0].mate.wings $[0].zip]" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	const form, js = "application/x-www-form-urlencoded", "application/json"
	for name, c := range map[string]struct {
		method, path, query, ct, body string
		want                          string
	}{
		"query":                {"GET", "/v1/owls", "awake=true&limit=3&kinds[]=barn&kinds%5B%5D=eagle", "", "", ""},
		"query, list of one":   {"GET", "/v1/owls", "awake=0&kinds=barn", "", "", ""},
		"query, repeated":      {"GET", "/v1/owls", "awake=0&kinds=barn&kinds=eagle", "", "", ""},
		"query, missing":       {"GET", "/v1/owls", "limit=3", "", "", `the query parameter "awake" is missing`},
		"query, unknown":       {"GET", "/v1/owls", "awake=1&mood=calm", "", "", `the query parameter "mood" is not described`},
		"query, wrong type":    {"GET", "/v1/owls", "awake=1&limit=few", "", "", `query parameter "limit": $: got string, want integer`},
		"query, exclusive":     {"GET", "/v1/owls", "awake=1&limit=0", "", "", `query parameter "limit": $: exclusiveMinimum`},
		"query, enum":          {"GET", "/v1/owls", "awake=1&kinds[]=snow", "", "", `query parameter "kinds": $[0]: value must be one of`},
		"query, of the path":   {"GET", "/v1/owls/7", "verbose=yes", "", "", `query parameter "verbose": $: got string, want boolean`},
		"query, not decodable": {"GET", "/v1/owls", "awake=%zz", "", "", "invalid URL escape"},
		"path":                 {"GET", "/v1/larks", "", "", "", ErrUnknownPath.Error()},
		"JSON":                 {"POST", "/v1/owls", "", js, `{"name":"Ada","age":null,"nests":[{"tree":"oak","height":2.5}],"labels":{"x":"y"}}`, ""},
		"JSON, number as text": {"POST", "/v1/owls", "", js, `{"name":"Ada","age":"3"}`, "$.age: got string, want null or integer"},
		"JSON, missing":        {"POST", "/v1/owls", "", js, `{}`, "missing property 'name'"},
		"JSON, unknown":        {"POST", "/v1/owls", "", js, `{"name":"Ada","nam":1}`, "body: not described: $.nam"},
		"JSON, unknown, deep":  {"POST", "/v1/owls", "", js, `{"name":"Ada","nests":[{},{"bush":1}]}`, "body: not described: $.nests[1].bush"},
		"JSON, open object":    {"POST", "/v1/free", "", js, `{"any":{"thing":1}}`, ""},
		"no JSON":              {"POST", "/v1/owls", "", js, `name=Ada`, "body: "},
		"no body":              {"POST", "/v1/owls", "", js, ``, "the body is missing"},
		"a body too many":      {"GET", "/v1/owls/7", "", js, `{"a":1}`, "the description has no body here"},
		"an empty one":         {"GET", "/v1/owls/7", "", js, `{}`, ""},
		"kind":                 {"POST", "/v1/free", "", form, `a=1`, "a body of type application/x-www-form-urlencoded is not described, only of application/json"},
		"no kind":              {"POST", "/v1/free", "", "", `{}`, "content type"},
		"form":                 {"POST", "/v1/owls", "", form, "name=1&age=3&tame=true&nests[][tree]=oak&nests[][height]=2&nests[][tree]=elm&colours[]=red&labels[a]=b", ""},
		"form, wrong type":     {"POST", "/v1/owls", "", form, "name=1&age=three", "$.age: got string, want null or integer"},
		"form, unknown":        {"POST", "/v1/owls", "", form, "name=1&nests[][tree]=oak&nests[][bush]=2", "body: not described: $.nests[0].bush"},
		"form, brackets":       {"POST", "/v1/owls", "", form, "name=1&nests[tree=oak", "brackets"},
		"form, two kinds":      {"POST", "/v1/owls", "", form, "name=1&name[a]=2", "without brackets"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := load(t).CheckRequest(c.method, c.path, c.query, c.ct, []byte(c.body)); !is(err, c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	s := load(t)
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, _ := w.CreateFormFile("photo", "owl.png")
	_, _ = part.Write([]byte("\x89PNG\x00"))
	_ = w.WriteField("name", "Ada")
	_ = w.WriteField("age", "3")
	_ = w.Close()
	if err := s.CheckRequest("POST", "/v1/owls", "", w.FormDataContentType(), body.Bytes()); err != nil {
		t.Error(err)
	}
	cut := body.Bytes()[:body.Len()-10]
	if err := s.CheckRequest("POST", "/v1/owls", "", w.FormDataContentType(), cut); err == nil {
		t.Error("half a form is right")
	}
	if err := s.CheckRequest("POST", "/v1/owls", "", "multipart/form-data", body.Bytes()); !is(err, "no boundary") {
		t.Errorf("without a boundary: %v", err)
	}
}

func TestNest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a=1&a=2":                         "map[a:2]",
		"a[]=1&a[]=2":                     "map[a:[1 2]]",
		"a[b]=1&a[c][]=2&a[c][]=3":        "map[a:map[b:1 c:[2 3]]]",
		"a[][x]=1&a[][y]=2&a[][x]=3":      "map[a:[map[x:1 y:2] map[x:3]]]",
		"a[][x][]=1&a[][x][]=2":           "map[a:[map[x:[1 2]]]]",
		"a=x+y%26&b":                      "map[a:x y& b:]",
		"poll[options][]=a&poll[on]=true": "map[poll:map[on:true options:[a]]]",
	} {
		pairs, err := parsePairs(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := nest(pairs, false)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestANilSpecFindsEverythingRight(t *testing.T) {
	t.Parallel()
	var d *Data
	s := d.Mastodon(t)
	unknown, err := s.UnknownInResponse("GET", "/x", 200, nil)
	if s != nil || err != nil || unknown != nil || s.CheckResponse("GET", "/x", 200, nil) != nil || s.CheckRequest("GET", "/x", "", "", nil) != nil {
		t.Error("nil found a fault")
	}
}

func TestLoadRefusesOtherDocuments(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "[]", "{}", `{"swagger":"2.0"}`, `{"openapi":3}`} {
		if _, err := Load([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestOverlaysComeFirst(t *testing.T) {
	t.Parallel()
	s, err := Load([]byte(aviary), func(doc map[string]any) {
		dig(doc, "components", "schemas", "Owl")["required"] = []any{}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CheckResponse("GET", "/v1/owls/7", 200, []byte("{}")); err != nil {
		t.Error(err)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := load(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := s.CheckResponse("GET", "/v1/owls", 200, []byte("[]")); err != nil {
				t.Error(err)
			}
			if err := s.CheckRequest("POST", "/v1/owls", "", "application/json", []byte(`{"name":"x"}`)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func FuzzRequest(f *testing.F) {
	f.Add("awake=1&kinds[]=barn", "name=1&nests[][tree]=oak&nests[][tree]=elm&a[b][c][]=1")
	f.Add("a[=1", "a[][][]=1&a[][b]=2")
	s, err := Load([]byte(aviary))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query, body string) {
		// It only must not panic.
		_ = s.CheckRequest("GET", "/v1/owls", query, "", nil)
		_ = s.CheckRequest("POST", "/v1/owls", "", "application/x-www-form-urlencoded", []byte(body))
		_ = s.CheckRequest("POST", "/v1/owls", "", "application/json", []byte(body))
		_ = s.CheckRequest("POST", "/v1/owls", "", "multipart/form-data; boundary=x", []byte(body))
		_, _ = s.UnknownInResponse("GET", query, 200, []byte(body))
	})
}
