package discordsim

import (
	"slices"
	"strconv"
)

// Types of components that a modal has. Source: components/reference,
// "Component Types".
const (
	componentLabel         = 18
	componentFileUpload    = 19
	componentRadioGroup    = 21
	componentCheckboxGroup = 22
	componentCheckbox      = 23
)

// Modal is a form that a member has open.
type Modal struct {
	User     string
	CustomID string
	Title    string
	Fields   []Field

	opener     *interaction
	components []any
}

// Field is one input of a modal.
type Field struct {
	CustomID string
	Label    string
	Kind     int // type of the component
	Required bool
	Value    string // that stands in it already
	Options  []string
}

// openModal shows a modal. Source: interactions/receiving-and-responding,
// "Modal", and components/reference.
func (s *Server) openModal(in *interaction, data obj) *answer {
	if data == nil {
		return requiredData()
	}
	errs := newFormErrors()
	m := &Modal{User: in.user, opener: in}
	m.CustomID = errs.text(data, "custom_id", "data.custom_id")
	errs.length("data.custom_id", m.CustomID, 1, 100)
	m.Title = errs.text(data, "title", "data.title")
	errs.length("data.title", m.Title, 1, 45)
	rows := errs.objects(data, "components", "data.components")
	if n := len(rows); n < 1 || n > 5 {
		errs.add("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
	}
	for i, row := range rows {
		m.row(errs, "data.components."+strconv.Itoa(i), row)
	}
	if a := errs.answer(); a != nil {
		return a
	}
	m.components, _ = cloneAny(data["components"]).([]any)
	in.modal = m
	s.it.modals[in.user] = m
	return nil
}

// row checks one component of a modal: a row with a text input, a label, or text.
func (m *Modal) row(errs *formErrors, at string, row obj) {
	switch intOf(row["type"]) {
	case 1:
		inner := errs.objects(row, "components", at+".components")
		if len(inner) != 1 {
			errs.add(at+".components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 1 in length.")
			return
		}
		in, at := inner[0], at+".components.0"
		if intOf(in["type"]) != componentTextInput {
			errs.choice(at+".type", componentTextInput)
			return
		}
		label := errs.text(in, "label", at+".label")
		errs.length(at+".label", label, 1, 45)
		m.input(errs, at, in, label)
	case componentLabel:
		label := errs.text(row, "label", at+".label")
		errs.length(at+".label", label, 1, 45)
		errs.length(at+".description", errs.text(row, "description", at+".description"), 0, 100)
		in := asObj(row["component"])
		if in == nil {
			errs.required(at + ".component")
			return
		}
		m.input(errs, at+".component", in, label)
	case componentText:
		errs.length(at+".content", errs.text(row, "content", at+".content"), 1, 4000)
	default:
		errs.choice(at+".type", 1, componentText, componentLabel)
	}
}

// input checks one input of a modal.
func (m *Modal) input(errs *formErrors, at string, in obj, label string) {
	f := Field{CustomID: errs.text(in, "custom_id", at+".custom_id"), Label: label, Kind: int(intOf(in["type"])), Required: true}
	if v, ok := in["required"].(bool); ok {
		f.Required = v
	}
	errs.length(at+".custom_id", f.CustomID, 1, 100)
	if slices.ContainsFunc(m.Fields, func(o Field) bool { return o.CustomID == f.CustomID }) {
		errs.add(at+".custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
	}
	switch f.Kind {
	case componentTextInput:
		f.Value = errs.text(in, "value", at+".value")
		m.textInput(errs, at, in, f.Value)
	case 3, componentRadioGroup, componentCheckboxGroup:
		options := errs.objects(in, "options", at+".options")
		most := 25
		if f.Kind != 3 {
			most = 10
		}
		if len(options) < 1 || len(options) > most {
			errs.add(at+".options", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and "+strconv.Itoa(most)+" in length.")
		}
		for i, o := range options {
			where := at + ".options." + strconv.Itoa(i)
			errs.length(where+".label", errs.text(o, "label", where+".label"), 1, 100)
			value := errs.text(o, "value", where+".value")
			errs.length(where+".value", value, 1, 100)
			f.Options = append(f.Options, value)
		}
	case 5, 6, 7, 8, componentFileUpload:
	case componentCheckbox:
		f.Required = false
	default:
		errs.choice(at+".type", 3, componentTextInput, 5, 6, 7, 8, componentFileUpload, componentRadioGroup, componentCheckboxGroup, componentCheckbox)
	}
	m.Fields = append(m.Fields, f)
}

// textInput checks the lengths of a text input. Source: components/reference, "Text Input".
func (m *Modal) textInput(errs *formErrors, at string, in obj, value string) {
	if style, ok := errs.number(in, "style", at+".style"); !ok {
		errs.required(at + ".style")
	} else if style != 1 && style != 2 {
		errs.choice(at+".style", 1, 2)
	}
	least, _ := errs.number(in, "min_length", at+".min_length")
	if least < 0 || least > 4000 {
		errs.add(at+".min_length", "NUMBER_TYPE_MAX", "int value should be between 0 and 4000.")
	}
	most, ok := errs.number(in, "max_length", at+".max_length")
	if ok && (most < 1 || most > 4000 || most < least) {
		errs.add(at+".max_length", "NUMBER_TYPE_MAX", "int value should be between 1 and 4000, and not under min_length.")
	}
	if !ok {
		most = 4000
	}
	errs.length(at+".value", value, 0, int(most))
	errs.length(at+".placeholder", errs.text(in, "placeholder", at+".placeholder"), 0, 100)
}

// Values are what a member fills in: a text, a list of texts for select menus
// and groups, a bool for a checkbox, Files for a file upload, by custom id. What
// is left out keeps the value that stands in it.
type Values map[string]any

// SubmitModal fills in a modal and sends it off. It must be the one that the
// member has open.
func (s *Server) SubmitModal(userID string, modal *Modal, values Values) (*Interaction, error) {
	return s.submitModal(userID, modal, values, false)
}

// ForgeModal is SubmitModal by a client that keeps to nothing: texts may be
// longer or shorter than their inputs allow, or missing. The documentation does
// not say that anybody but the client looks at that.
func (s *Server) ForgeModal(userID string, modal *Modal, values Values) (*Interaction, error) {
	return s.submitModal(userID, modal, values, true)
}

func (s *Server) submitModal(userID string, modal *Modal, values Values, forged bool) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if modal == nil || s.it.modals[userID] != modal {
		return nil, notOffered("%s does not have that modal open", userID)
	}
	from := modal.opener
	if err := s.mayAct(userID, from.ch); err != nil {
		return nil, err
	}
	r := &resolver{s: s, c: from.ch, user: userID, out: obj{}}
	components, err := modal.fill(r, values, forged)
	if err != nil {
		return nil, err
	}
	for name := range values {
		if !slices.ContainsFunc(modal.Fields, func(f Field) bool { return f.CustomID == name }) {
			return nil, notOffered("the modal has no field %q", name)
		}
	}
	delete(s.it.modals, userID)
	in := s.newInteraction(KindModalSubmit, userID, from.ch, cloneObj(from.owners))
	in.opener, in.source = from, from.source
	data := obj{"custom_id": modal.CustomID, "components": components}
	r.into(data)
	in.payload["data"] = data
	if in.source != nil {
		in.payload["message"] = s.renderMessage(in.source)
	}
	return s.keep(in), nil
}

// CloseModal closes the modal that a member has open, without sending it; the
// application is not told.
func (s *Server) CloseModal(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.it.modals, userID)
	s.change()
}

// fill writes a modal's components with their values. Source:
// components/reference, the "Interaction Response Structure" of each component.
func (m *Modal) fill(r *resolver, values Values, forged bool) ([]any, error) {
	n := 0
	number := func(o obj) int {
		n++
		if id := intOf(o["id"]); id > 0 {
			return int(id)
		}
		return n
	}
	var out []any
	for _, row := range objects(m.components) {
		switch id := number(row); intOf(row["type"]) {
		case 1:
			in := objects(row["components"])[0]
			filled, err := m.filled(r, in, number(in), values, forged)
			if err != nil {
				return nil, err
			}
			out = append(out, obj{"type": 1, "id": id, "components": []any{filled}})
		case componentLabel:
			in := asObj(row["component"])
			filled, err := m.filled(r, in, number(in), values, forged)
			if err != nil {
				return nil, err
			}
			out = append(out, obj{"type": componentLabel, "id": id, "component": filled})
		default:
			out = append(out, obj{"type": intOf(row["type"]), "id": id})
		}
	}
	return out, nil
}

// filled writes one input with its value.
func (m *Modal) filled(r *resolver, in obj, id int, values Values, forged bool) (obj, error) {
	name := textOf(in["custom_id"])
	f := m.Fields[slices.IndexFunc(m.Fields, func(f Field) bool { return f.CustomID == name })]
	out := obj{"type": f.Kind, "id": id, "custom_id": name}
	v := values[name]
	switch f.Kind {
	case componentTextInput:
		text, ok := v.(string)
		if v == nil {
			text, ok = f.Value, true
		}
		least, most := max(intOf(in["min_length"]), 0), int64(4000)
		if in["max_length"] != nil {
			most = intOf(in["max_length"])
		}
		long := int64(textLen(text))
		if !ok || !forged && (f.Required && long == 0 || long > most || long > 0 && long < least) {
			return nil, notOffered("the field %q does not take %q", name, text)
		}
		out["value"] = text
	case componentCheckbox:
		on, _ := v.(bool)
		out["value"] = on
	case componentFileUpload:
		files, _ := v.([]File)
		if f.Required && len(files) == 0 {
			return nil, notOffered("the field %q needs a file", name)
		}
		ids := []string{}
		for _, file := range files {
			ids = append(ids, r.addFile(file))
		}
		out["values"] = ids
	case componentRadioGroup:
		text, _ := v.(string)
		if text == "" && !f.Required {
			out["value"] = nil
			break
		}
		if !slices.Contains(f.Options, text) {
			return nil, notOffered("the field %q does not have %q", name, text)
		}
		out["value"] = text
	default:
		list, _ := v.([]string)
		if len(list) == 0 && f.Required {
			return nil, notOffered("the field %q needs a value", name)
		}
		for _, one := range list {
			if f.Kind == componentCheckboxGroup && !slices.Contains(f.Options, one) {
				return nil, notOffered("the field %q does not have %q", name, one)
			}
		}
		if f.Kind != componentCheckboxGroup && len(list) > 0 {
			if err := r.choose(in, list); err != nil {
				return nil, err
			}
		}
		out["values"] = append([]string{}, list...)
	}
	return out, nil
}
