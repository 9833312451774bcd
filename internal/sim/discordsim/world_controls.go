package discordsim

// Control is a button or a menu of a message.
type Control struct {
	ID       string // its custom id; empty for a link
	Label    string // of a menu: its placeholder
	URL      string // of a link
	Disabled bool
	Menu     bool
	Options  []Option // of a menu of texts
	Chosen   []string // ids that a menu of channels, roles or users begins with
}

// Option is a choice of a menu.
type Option struct{ Label, Value string }

// Controls are the message's buttons and menus, whatever holds them, in their
// order.
func (m Message) Controls() []Control { return controlsIn(nil, objects(m.Components)) }

func controlsIn(all []Control, list []obj) []Control {
	for _, o := range list {
		if kind := intOf(o["type"]); kind == componentButton || isSelect(kind) {
			all = append(all, controlOf(o))
		}
		all = controlsIn(all, objects(o["components"]))
		if beside := asObj(o["accessory"]); beside != nil {
			all = controlsIn(all, []obj{beside})
		}
	}
	return all
}

func controlOf(o obj) Control {
	c := Control{ID: textOf(o["custom_id"]), Label: textOf(o["label"]), URL: textOf(o["url"]), Menu: isSelect(intOf(o["type"]))}
	if c.Menu {
		c.Label = textOf(o["placeholder"])
	}
	c.Disabled, _ = o["disabled"].(bool)
	for _, choice := range objects(o["options"]) {
		c.Options = append(c.Options, Option{textOf(choice["label"]), textOf(choice["value"])})
	}
	for _, thing := range objects(o["default_values"]) {
		c.Chosen = append(c.Chosen, textOf(thing["id"]))
	}
	return c
}
