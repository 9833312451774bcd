package discordsim

import (
	"net/http"
	"strconv"
)

// routesInteractions adds what answers to interactions are sent to. Source:
// interactions/receiving-and-responding, "Endpoints".
func (s *Server) routesInteractions(t *router) {
	t.rest("POST /interactions/{interaction_id}/{interaction_token}/callback", s.postCallback, forInteractions)
	t.rest("POST /webhooks/{application_id}/{interaction_token}", s.webhook(s.postFollowup), forInteractions)
	for _, at := range []string{"@original", "{message_id}"} {
		path := " /webhooks/{application_id}/{interaction_token}/messages/" + at
		t.rest("GET"+path, s.webhook(s.getAnswer), forInteractions)
		t.rest("PATCH"+path, s.webhook(s.patchAnswer), forInteractions)
		t.rest("DELETE"+path, s.webhook(s.deleteAnswer), forInteractions)
	}
}

// postCallback is the first answer to an interaction. Source:
// interactions/receiving-and-responding, "Create Interaction Response".
func (s *Server) postCallback(q *request) *answer {
	in := s.it.byID[q.vars["interaction_id"]]
	if in == nil || in.token != q.vars["interaction_token"] || in.expired {
		return fail(10062)
	}
	if in.acked != 0 {
		return fail(40060)
	}
	if s.overdue(in); in.failed {
		return fail(10062)
	}
	if s.place(in.ch.id) == nil {
		return fail(10003)
	}
	f, bad := q.readForm()
	if bad != nil {
		return bad
	}
	errs := newFormErrors()
	kind, ok := errs.number(f.fields, "type", "type")
	if !ok && !errs.any() {
		errs.required("type")
	}
	if ok && !in.takes(int(kind)) {
		errs.choice("type", in.callbacks()...)
	}
	if a := errs.answer(); a != nil {
		return a
	}
	if a := s.callback(in, int(kind), f); a != nil {
		return a
	}
	in.acked, in.after = int(kind), s.now().Sub(in.created)
	s.change()
	if with := q.query.Get("with_response"); with == "true" || with == "1" || with == "True" {
		return jsonAnswer(http.StatusOK, s.callbackResponse(in))
	}
	return noContent()
}

// callbacks are the types that an interaction can be answered with. Source:
// interactions/receiving-and-responding, "Interaction Callback Type" and its notes.
func (in *interaction) callbacks() []any {
	switch {
	case in.kind == KindAutocomplete:
		return []any{CallbackAutocomplete}
	case in.kind == KindComponent:
		return []any{CallbackMessage, CallbackDefer, CallbackDeferUpdate, CallbackUpdate, CallbackModal, CallbackLaunchActivity}
	case in.kind == KindModalSubmit && in.source != nil: // the modal came from a component
		return []any{CallbackMessage, CallbackDefer, CallbackDeferUpdate, CallbackUpdate, CallbackLaunchActivity}
	case in.kind == KindModalSubmit:
		return []any{CallbackMessage, CallbackDefer, CallbackLaunchActivity}
	}
	return []any{CallbackMessage, CallbackDefer, CallbackModal, CallbackLaunchActivity}
}

func (in *interaction) takes(kind int) bool { return oneOf[any](kind, in.callbacks()...) }

// callback does what an answer says; the result is the refusal.
func (s *Server) callback(in *interaction, kind int, f *form) *answer {
	data := asObj(f.fields["data"])
	switch kind {
	case CallbackMessage:
		if data == nil {
			return requiredData()
		}
		input, bad := s.answerInput(f, data, "data")
		if bad != nil {
			return bad
		}
		s.answerWith(in, input)
	case CallbackDefer:
		return s.deferAnswer(in, data)
	case CallbackDeferUpdate:
		in.original = in.source
	case CallbackUpdate:
		if data == nil {
			data = obj{}
		}
		if !s.there(in.source) {
			return fail(10008)
		}
		if bad := s.editAnswer(in.source, f, data, "data"); bad != nil {
			return bad
		}
		in.original = in.source
	case CallbackAutocomplete:
		return s.offerChoices(in, data)
	case CallbackModal:
		return s.openModal(in, data)
	}
	return nil
}

func requiredData() *answer {
	errs := newFormErrors()
	errs.required("data")
	return errs.answer()
}

// answerWith posts the first answer.
func (s *Server) answerWith(in *interaction, input postInput) {
	if in.forceHidden {
		input.flags |= flagEphemeral
	}
	in.ephemeral = input.flags&flagEphemeral != 0
	in.original = s.post(in, input, "")
}

// deferAnswer shows "… is thinking". Only the ephemeral flag may be set.
// Source: interactions/receiving-and-responding, note on flags.
func (s *Server) deferAnswer(in *interaction, data obj) *answer {
	errs := newFormErrors()
	flags, _ := errs.number(data, "flags", "data.flags")
	if flags&^flagEphemeral != 0 && !errs.any() {
		errs.add("data.flags", "INTERACTION_RESPONSE_DEFER_FLAGS", "Only the flag EPHEMERAL may be set on a deferred response.")
	}
	if a := errs.answer(); a != nil {
		return a
	}
	in.loading = true
	s.answerWith(in, postInput{flags: flags | flagLoading})
	return nil
}

// post makes a message of an interaction: the first answer, or one that follows
// it, named by the first one's id.
func (s *Server) post(in *interaction, input postInput, after string) *message {
	input.author, input.ofApp = s.appID, true
	input.interaction = s.metadata(in)
	switch {
	case after != "":
		input.interaction["original_response_message_id"] = after
		input.ref = s.reference(in.ch, after)
	case in.source != nil:
		input.ref = s.reference(in.ch, in.source.id)
	case in.kind == KindCommand && in.contextMenu:
		input.kind = messageContextEntry
	case in.kind == KindCommand:
		input.kind = messageCommand
	}
	if input.flags&flagEphemeral != 0 || s.it.private[in.ch.id] != nil {
		input.onlyFor = in.user
	}
	m := s.addMessage(in.ch, input)
	if m.onlyFor != "" {
		s.it.hidden[m.id] = m
		s.it.reads[in.user] = append(s.it.reads[in.user], m)
	}
	in.messages = append(in.messages, m)
	return m
}

func (s *Server) reference(c *channel, messageID string) *reference {
	return &reference{message: messageID, channel: c.id, guild: c.guild}
}

// offerChoices shows what autocomplete found. Source:
// interactions/receiving-and-responding, "Autocomplete".
func (s *Server) offerChoices(in *interaction, data obj) *answer {
	errs := newFormErrors()
	if _, ok := data["choices"].([]any); !ok {
		errs.required("data.choices")
		return errs.answer()
	}
	list := errs.objects(data, "choices", "data.choices")
	if len(list) > choicesCap {
		errs.add("data.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
	}
	kind := int64(0)
	for _, o := range focusedOptions(asObj(in.payload["data"])["options"]) {
		kind = intOf(o["type"])
	}
	var choices []Choice
	for i, o := range list {
		at := "data.choices." + strconv.Itoa(i)
		name := errs.text(o, "name", at+".name")
		errs.length(at+".name", name, 1, 100)
		value := o["value"]
		if text, isText := value.(string); isText {
			if kind == optionString {
				errs.length(at+".value", text, 0, 100)
			} else {
				errs.add(at+".value", "NUMBER_TYPE_COERCE", "Value \""+text+"\" is not a number.")
			}
		} else if n, isNumber := number(value); !isNumber {
			errs.required(at + ".value")
		} else if kind == optionString {
			errs.add(at+".value", "BASE_TYPE_STRING", "Could not interpret a number as string.")
		} else {
			value = n
		}
		choices = append(choices, Choice{Name: name, Value: value})
	}
	if a := errs.answer(); a != nil {
		return a
	}
	in.choices = choices
	s.it.choices[in.user] = choices
	return nil
}

// focusedOptions are the options that the member types into, at any level.
func focusedOptions(options any) []obj {
	var out []obj
	for _, o := range objects(options) {
		if on, _ := o["focused"].(bool); on {
			out = append(out, o)
		}
		out = append(out, focusedOptions(o["options"])...)
	}
	return out
}

// callbackResponse is the body of with_response=true. Source:
// interactions/receiving-and-responding, "Interaction Callback Response Object".
func (s *Server) callbackResponse(in *interaction) obj {
	about := obj{"id": in.id, "type": in.kind}
	out := obj{"interaction": about}
	resource := obj{"type": in.acked}
	switch in.acked {
	case CallbackMessage, CallbackUpdate, CallbackDefer, CallbackDeferUpdate:
		if in.original != nil {
			about["response_message_id"] = in.original.id
			about["response_message_loading"] = in.loading
			about["response_message_ephemeral"] = in.original.flags&flagEphemeral != 0
			if in.acked == CallbackMessage || in.acked == CallbackUpdate {
				resource["message"] = s.renderMessage(in.original)
			}
		}
	case CallbackLaunchActivity:
		id := "i-" + in.id + "-" + in.ch.id
		about["activity_instance_id"] = id
		resource["activity_instance"] = obj{"id": id}
	default:
		return out
	}
	out["resource"] = resource
	return out
}

// webhook finds the interaction of a token, which is good for fifteen minutes
// and from the first answer on.
func (s *Server) webhook(handle func(*request, *interaction) *answer) handler {
	return func(q *request) *answer {
		var in *interaction
		for _, one := range s.it.order {
			if one.token == q.vars["interaction_token"] {
				in = one
			}
		}
		switch {
		case s.it.unknown > 0:
			s.it.unknown--
			return fail(10015)
		case in == nil || q.vars["application_id"] != s.appID, in.acked == 0:
			return fail(10015)
		case in.expired || s.now().Sub(in.created) > tokenLife:
			return fail(50027)
		}
		return handle(q, in)
	}
}

// answerOf is the message that a request is about; nil for none.
func (s *Server) answerOf(q *request, in *interaction) *message {
	id := q.vars["message_id"]
	if id == "" {
		if in.original != nil && s.there(in.original) {
			return in.original
		}
		return nil
	}
	for _, m := range append([]*message{in.original}, in.messages...) {
		if m != nil && m.id == id && s.there(m) {
			return m
		}
	}
	return nil
}

// getAnswer is one message of the interaction. Source:
// interactions/receiving-and-responding, "Get Original Interaction Response".
func (s *Server) getAnswer(q *request, in *interaction) *answer {
	m := s.answerOf(q, in)
	if m == nil {
		return fail(10008)
	}
	return jsonAnswer(http.StatusOK, s.renderMessage(m))
}

// patchAnswer edits one; the first edit of a deferred answer ends its loading.
// Source: interactions/receiving-and-responding, "Edit Original Interaction Response".
func (s *Server) patchAnswer(q *request, in *interaction) *answer {
	m := s.answerOf(q, in)
	if m == nil {
		return fail(10008)
	}
	f, bad := q.readForm()
	if bad != nil {
		return bad
	}
	return s.fillAnswer(in, m, f)
}

func (s *Server) fillAnswer(in *interaction, m *message, f *form) *answer {
	if f.fields == nil {
		return requiredData()
	}
	if bad := s.editAnswer(m, f, f.fields, ""); bad != nil { // takes the flag LOADING away
		return bad
	}
	if m == in.original {
		in.loading = false
	}
	s.change()
	return jsonAnswer(http.StatusOK, s.renderMessage(m))
}

// deleteAnswer takes one away. Source:
// interactions/receiving-and-responding, "Delete Original Interaction Response".
func (s *Server) deleteAnswer(q *request, in *interaction) *answer {
	m := s.answerOf(q, in)
	if m == nil {
		return fail(10008)
	}
	if m == in.original {
		in.loading = false
	}
	delete(s.it.hidden, m.id)
	s.dropMessage(m)
	return noContent()
}

// postFollowup posts one more message, or fills in a deferred answer. Source:
// interactions/receiving-and-responding, "Create Followup Message".
func (s *Server) postFollowup(q *request, in *interaction) *answer {
	f, bad := q.readForm()
	if bad != nil {
		return bad
	}
	if in.loading && in.original != nil {
		if f.fields != nil {
			delete(f.fields, "flags") // how visible it is was decided by the defer
		}
		return s.fillAnswer(in, in.original, f)
	}
	if s.place(in.ch.id) == nil {
		return fail(10003)
	}
	if in.onlyUser && in.followups >= followupCap {
		return failWith(http.StatusBadRequest, 40094, "This interaction has reached the maximum number of follow up messages")
	}
	if f.fields == nil {
		return requiredData()
	}
	for _, k := range []string{"thread_id", "thread_name", "username", "avatar_url"} {
		delete(f.fields, k) // not supported here, and ignored
	}
	input, bad := s.answerInput(f, f.fields, "")
	if bad != nil {
		return bad
	}
	if in.forceHidden {
		input.flags |= flagEphemeral
	}
	after := ""
	if in.original != nil {
		after = in.original.id
	}
	in.followups++
	return jsonAnswer(http.StatusOK, s.renderMessage(s.post(in, input, after)))
}
