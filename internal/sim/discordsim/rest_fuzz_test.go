package discordsim

import "testing"

// Bodies of outside are read whatever they are: they give an answer or a
// message, and neither a panic nor a message that is over the limits.
func FuzzBody(f *testing.F) {
	ctype, body := multipartBody(f, `{"content":"x","attachments":[{"id":0,"description":"d"}]}`, File{Name: "a", Data: []byte("data")})
	f.Add(ctype, string(body))
	f.Add("application/json", `{"content":"x","embeds":[{"title":"t","fields":[{"name":"n","value":"v"}]}],"components":[{"type":1,"components":[{"type":2,"style":1,"label":"a","custom_id":"`+"\u0000"+`"}]}]}`)
	f.Add("application/json", `{"flags":32768,"components":[{"type":17,"components":[{"type":9,"components":[{"type":10,"content":"x"}],"accessory":{"type":11,"media":{"url":"attachment://a"}}}]},{"type":12,"items":[{"media":{"url":"https://x.example"}}]}]}`)
	f.Add("application/json", `{"allowed_mentions":{"parse":["users",7],"users":null},"nonce":1e99,"message_reference":[]}`)
	f.Add("application/x-www-form-urlencoded", "content=x")
	f.Add("multipart/form-data", "")
	s, err := New(Options{NoRateLimits: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.Close)
	p := small(s)
	f.Fuzz(func(t *testing.T, ctype, body string) {
		got, bad := parseForm(ctype, []byte(body))
		if bad != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		in, bad := s.readPost(got, readOptions{create: true})
		if bad != nil {
			return
		}
		if textLen(in.content) > contentMost || len(in.embeds) > 10 || len(in.files) > filesMost {
			t.Errorf("%+v was taken", in)
		}
		in.author = s.appID
		c := s.channels[p.general]
		m := s.addMessage(c, *in)
		jsonAnswer(200, s.renderMessage(m))
		if bad := s.editMessage(c, m, got); bad == nil {
			s.look(m)
		}
		s.dropMessage(m)
		s.files = map[string]*attachment{}
		readAlso(s, got)
	})
}

// readAlso reads the same body as other things that it may be.
func readAlso(s *Server, f *form) {
	if f.fields == nil {
		return
	}
	errs := newFormErrors()
	if c := readCommand(errs, f.fields, "", ""); c != nil {
		jsonAnswer(200, s.renderCommand(c, false))
	}
	readNonce(errs, f.fields)
	errs.answer()
}

func FuzzCommand(f *testing.F) {
	f.Add(`{"name":"gif","description":"d","options":[{"type":2,"name":"g","description":"d","options":[{"type":1,"name":"s","description":"d"}]}],"contexts":[0]}`)
	f.Add(`{"name":"gif","type":"3","name_localizations":{"ru":1},"options":[{"type":4,"choices":[{"value":1.5}]}],"default_member_permissions":-1}`)
	f.Fuzz(func(_ *testing.T, text string) {
		v, err := decodeJSON([]byte(text))
		if o, ok := v.(obj); err == nil && ok {
			errs := newFormErrors()
			readCommand(errs, o, "0", "1")
			errs.answer()
		}
	})
}

func FuzzMentions(f *testing.F) {
	for _, text := range []string{"<@1> <@!2> <@&3> <#4> @everyone", "<<@1>", "<@", "<@>", "<@&>", "<@99999999999999999999999>", "<@1<@2>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := parseMentions(text)
		for _, id := range append(append(m.users, m.roles...), m.channels...) {
			if !isSnowflake(id) {
				t.Errorf("%q gave the id %q", text, id)
			}
		}
		name, id, ok := parseEmoji(text)
		if ok && (name == "" || id != "" && !isSnowflake(id)) {
			t.Errorf("%q gave the emoji %q %q", text, name, id)
		}
	})
}
