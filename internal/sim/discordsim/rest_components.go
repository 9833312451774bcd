package discordsim

import (
	"net/url"
	"strconv"
)

// Types of components. Source: components/reference#component-object-component-types.
const (
	componentRow       = 1
	componentButton    = 2
	componentSelect    = 3
	componentTextInput = 4
	componentSection   = 9
	componentText      = 10
	componentThumbnail = 11
	componentGallery   = 12
	componentFile      = 13
	componentSeparator = 14
	componentContainer = 17
)

const (
	rowsMost       = 5
	componentsMost = 40   // of components v2, nested ones included
	displayMost    = 4000 // characters in all text displays of a message
	customIDMost   = 100
)

// componentCheck looks through the components of one message.
type componentCheck struct {
	errs  *formErrors
	v2    bool
	ids   map[string]bool // custom ids
	count int
	shown int // characters in text displays
}

// checkComponents holds the components of a message against the rules. Source:
// components/reference.
func checkComponents(errs *formErrors, body obj, v2 bool) {
	list := errs.objects(body, "components", "components")
	c := &componentCheck{errs: errs, v2: v2, ids: map[string]bool{}}
	if !v2 && len(list) > rowsMost {
		errs.add("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
	}
	for i, o := range list {
		at := "components." + strconv.Itoa(i)
		kind := o["type"]
		if kind == nil {
			errs.required(at + ".type")
			continue
		}
		if !v2 && intOf(kind) != componentRow {
			errs.choice(at+".type", componentRow)
			continue
		}
		c.top(o, at, true)
	}
	if v2 && c.count > componentsMost {
		errs.add("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", "The total number of components cannot exceed 40.")
	}
	if c.shown > displayMost {
		errs.add("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", "Component displayable text exceeds maximum size of 4000")
	}
}

// top checks a component that stands by itself or in a container.
func (c *componentCheck) top(o obj, at string, containers bool) {
	c.count++
	switch kind := intOf(o["type"]); {
	case kind == componentRow:
		c.row(o, at)
	case kind == componentText:
		c.display(o, at)
	case kind == componentSection:
		c.section(o, at)
	case kind == componentGallery:
		items := c.errs.objects(o, "items", at+".items")
		c.between(at+".items", len(items), 1, 10)
		for i, item := range items {
			iat := at + ".items." + strconv.Itoa(i)
			c.media(item, "media", iat)
			c.errs.length(iat+".description", c.errs.text(item, "description", iat+".description"), 0, descriptionMost)
		}
	case kind == componentFile:
		c.media(o, "file", at)
	case kind == componentSeparator:
		if n, ok := c.errs.number(o, "spacing", at+".spacing"); ok && n != 1 && n != 2 {
			c.errs.choice(at+".spacing", 1, 2)
		}
	case kind == componentContainer && containers:
		inner := c.errs.objects(o, "components", at+".components")
		c.between(at+".components", len(inner), 1, componentsMost)
		for i, in := range inner {
			c.top(in, at+".components."+strconv.Itoa(i), false)
		}
	default:
		c.errs.choice(at+".type", 1, 9, 10, 12, 13, 14, 17)
	}
}

func (c *componentCheck) between(at string, n, least, most int) {
	if n < least || n > most {
		c.errs.add(at, "BASE_TYPE_BAD_LENGTH", "Must be between "+strconv.Itoa(least)+" and "+strconv.Itoa(most)+" in length.")
	}
}

func (c *componentCheck) display(o obj, at string) {
	text := c.errs.text(o, "content", at+".content")
	c.errs.length(at+".content", text, 1, displayMost)
	c.shown += textLen(text)
}

func (c *componentCheck) section(o obj, at string) {
	inner := c.errs.objects(o, "components", at+".components")
	c.between(at+".components", len(inner), 1, 3)
	for i, in := range inner {
		c.count++
		iat := at + ".components." + strconv.Itoa(i)
		if intOf(in["type"]) != componentText {
			c.errs.choice(iat+".type", componentText)
			continue
		}
		c.display(in, iat)
	}
	side := asObj(o["accessory"])
	c.count++
	switch intOf(side["type"]) {
	case componentButton:
		c.button(side, at+".accessory")
	case componentThumbnail:
		c.media(side, "media", at+".accessory")
	default:
		c.errs.required(at + ".accessory")
	}
}

// media checks an unfurled media item: an http, https or attachment address.
func (c *componentCheck) media(o obj, name, at string) {
	m := asObj(o[name])
	if m == nil || textOf(m["url"]) == "" {
		c.errs.required(at + "." + name)
		return
	}
	checkURL(c.errs, m, "url", at+"."+name, true)
}

// row checks an action row: up to five buttons, or one select menu. Source:
// components/reference#action-row.
func (c *componentCheck) row(o obj, at string) {
	inner := c.errs.objects(o, "components", at+".components")
	c.between(at+".components", len(inner), 1, 5)
	menus := 0
	for i, in := range inner {
		c.count++
		iat := at + ".components." + strconv.Itoa(i)
		kind := intOf(in["type"])
		switch {
		case kind == componentButton:
			c.button(in, iat)
		case isSelect(kind):
			menus++
			c.menu(in, iat, kind)
		default:
			c.errs.choice(iat+".type", 2, 3, 5, 6, 7, 8)
		}
	}
	if menus > 0 && len(inner) > 1 {
		c.errs.add(at+".components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")
	}
}

// customID checks a custom id, of which a message has each only once.
func (c *componentCheck) customID(o obj, at string) {
	id := c.errs.text(o, "custom_id", at+".custom_id")
	if !c.errs.length(at+".custom_id", id, 1, customIDMost) {
		return
	}
	if c.ids[id] {
		c.errs.add(at+".custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
	}
	c.ids[id] = true
}

// button. Source: components/reference#button.
func (c *componentCheck) button(o obj, at string) {
	style, ok := c.errs.number(o, "style", at+".style")
	if !ok {
		if o["style"] == nil {
			c.errs.required(at + ".style")
		}
		return
	}
	label := c.errs.text(o, "label", at+".label")
	c.errs.length(at+".label", label, 0, 80)
	c.errs.flag(o, "disabled", at+".disabled")
	switch {
	case style >= 1 && style <= 4:
		if o["url"] != nil {
			c.errs.add(at, "BUTTON_COMPONENT_CUSTOM_ID_AND_URL", "A custom id and url cannot both be specified")
		}
		c.customID(o, at)
	case style == 5:
		text := c.errs.text(o, "url", at+".url")
		if o["custom_id"] != nil {
			c.errs.add(at, "BUTTON_COMPONENT_CUSTOM_ID_AND_URL", "A custom id and url cannot both be specified")
		}
		if !c.errs.length(at+".url", text, 1, 512) {
			return
		}
		if u, err := url.Parse(text); err != nil || !oneOf(u.Scheme, "http", "https", "discord") || u.Host == "" {
			c.errs.add(at+".url", "URL_TYPE_INVALID_URL", "Not a well formed URL.")
		}
	default:
		c.errs.choice(at+".style", 1, 2, 3, 4, 5, 6)
		return
	}
	if label == "" && !given(o["emoji"]) {
		c.errs.add(at, "BUTTON_COMPONENT_MISSING_LABEL_OR_EMOJI", "A button must have a label or emoji")
	}
}

// menu. Source: components/reference#string-select and the other selects.
func (c *componentCheck) menu(o obj, at string, kind int64) {
	c.customID(o, at)
	c.errs.length(at+".placeholder", c.errs.text(o, "placeholder", at+".placeholder"), 0, 150)
	least, hasLeast := c.errs.number(o, "min_values", at+".min_values")
	most, hasMost := c.errs.number(o, "max_values", at+".max_values")
	if hasLeast && (least < 0 || least > 25) {
		c.errs.add(at+".min_values", "NUMBER_TYPE_MAX", "int value should be between 0 and 25.")
	}
	if hasMost && (most < 1 || most > 25) {
		c.errs.add(at+".max_values", "NUMBER_TYPE_MAX", "int value should be between 1 and 25.")
	}
	if kind != componentSelect {
		return
	}
	options := c.errs.objects(o, "options", at+".options")
	c.between(at+".options", len(options), 1, 25)
	if hasMost && int(most) > len(options) && len(options) > 0 {
		c.errs.add(at+".max_values", "SELECT_COMPONENT_MAX_VALUES_MUST_BE_LESS_THAN_OR_EQUAL_TO_NUMBER_OF_OPTIONS", "max_values must not exceed the number of options")
	}
	values := map[string]bool{}
	for i, opt := range options {
		oat := at + ".options." + strconv.Itoa(i)
		c.errs.length(oat+".label", c.errs.text(opt, "label", oat+".label"), 1, 100)
		value := c.errs.text(opt, "value", oat+".value")
		c.errs.length(oat+".value", value, 1, 100)
		c.errs.length(oat+".description", c.errs.text(opt, "description", oat+".description"), 0, 100)
		if values[value] {
			c.errs.add(oat+".value", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used")
		}
		values[value] = true
	}
}
