package discordsim

import "encoding/json"

// answerInput reads a message that answers an interaction. at is where it stands
// in the body, "" for the body itself. The mutex is held, here and below.
func (s *Server) answerInput(f *form, fields obj, at string) (postInput, *answer) {
	in, bad := s.readPost(&form{fields: fields, files: f.files, order: f.order}, readOptions{create: true, interaction: true})
	if bad != nil {
		return postInput{}, under(at, bad)
	}
	return *in, nil
}

// editAnswer edits a message by an interaction.
func (s *Server) editAnswer(m *message, f *form, fields obj, at string) *answer {
	c := s.place(m.channel)
	if c == nil {
		return fail(10008)
	}
	return under(at, s.editMessage(c, m, &form{fields: fields, files: f.files, order: f.order}))
}

// under puts the mistakes of a form below the field that it came in.
func under(at string, bad *answer) *answer {
	if bad == nil || at == "" {
		return bad
	}
	var body struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Errors  obj    `json:"errors"`
	}
	if json.Unmarshal(bad.body, &body) != nil || body.Errors == nil {
		return bad
	}
	a := jsonAnswer(bad.status, obj{"code": body.Code, "message": body.Message, "errors": obj{at: body.Errors}})
	a.code = bad.code
	return a
}
