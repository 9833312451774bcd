package discordsim

import (
	"net/url"
	"slices"
	"strconv"
)

const (
	contentMost     = 2000 // of a bot. Source: resources/message#create-message
	descriptionMost = 1024 // of an attachment
	filesMost       = 10
)

// readOptions say what kind of body is read.
type readOptions struct {
	create      bool     // a new message: it must not be empty
	old         *message // that is edited
	interaction bool     // flags may have EPHEMERAL
}

// readPost reads the parts of a message that all ways of sending one share:
// content, embeds, components, files, flags and allowed_mentions. Source:
// resources/message#create-message, resources/message#edit-message.
func (s *Server) readPost(f *form, opt readOptions) (*postInput, *answer) {
	body := f.fields
	errs := newFormErrors()
	if body == nil {
		errs.add("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
		return nil, errs.answer()
	}
	in := &postInput{content: errs.text(body, "content", "content"), tts: errs.flag(body, "tts", "tts")}
	errs.length("content", in.content, 0, contentMost)
	flags, _ := errs.number(body, "flags", "flags")
	may := int64(flagSuppressEmbeds | flagNoNotifications | flagComponentsV2)
	if opt.interaction {
		may |= flagEphemeral
	}
	in.flags = flags & may
	in.allowed = readAllowed(errs, body)
	in.embeds = readEmbeds(errs, body)
	v2 := in.flags&flagComponentsV2 != 0 || opt.old != nil && opt.old.flags&flagComponentsV2 != 0
	if v, ok := body["components"].([]any); ok {
		in.components = v
	}
	checkComponents(errs, body, v2)
	if v2 {
		// Source: components/overview#using-components and resources/message,
		// flag IS_COMPONENTS_V2: content, embeds, stickers and polls are off.
		for _, name := range []string{"content", "embeds", "poll", "sticker_ids"} {
			if given(body[name]) {
				errs.add(name, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2")
			}
		}
	}
	for _, name := range []string{"poll", "sticker_ids"} {
		if given(body[name]) {
			errs.add(name, "BASE_TYPE_INVALID", "This simulator has no such thing.")
		}
	}
	in.files = readFiles(errs, f, opt.old)
	if bad := tooLarge(f); bad != nil {
		return nil, bad
	}
	if bad := errs.answer(); bad != nil {
		return nil, bad
	}
	if opt.create && in.content == "" && len(in.embeds) == 0 && len(in.files) == 0 && len(in.components) == 0 {
		return nil, fail(50006)
	}
	return in, nil
}

func given(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	}
	return true
}

// tooLarge refuses files over 10 MiB, and requests over 25 MiB. Source:
// reference#uploading-files.
func tooLarge(f *form) *answer {
	sum := 0
	for _, u := range f.files {
		sum += len(u.data)
		if len(u.data) > fileSizeCap {
			return fail(40005)
		}
	}
	if sum > requestCap {
		return fail(40005)
	}
	return nil
}

// readFiles joins the files of a form with the "attachments" that describe
// them. An attachments entry whose id is no file of the form must be one of
// the message that is edited. Source: reference#uploading-files.
func readFiles(errs *formErrors, f *form, old *message) []upload {
	list := errs.objects(f.fields, "attachments", "attachments")
	numbers := slices.Clone(f.order)
	slices.SortFunc(numbers, func(a, b string) int { return compareIDs(a, b) })
	seen := map[string]bool{}
	described := map[string]upload{}
	for i, o := range list {
		at := "attachments." + strconv.Itoa(i)
		id := textID(o["id"])
		if o["id"] == nil {
			errs.required(at + ".id")
			continue
		}
		u := f.files[id]
		u.description = errs.text(o, "description", at+".description")
		errs.length(at+".description", u.description, 0, descriptionMost)
		if name := errs.text(o, "filename", at+".filename"); name != "" {
			u.name = name
		}
		if errs.length(at+".filename", u.name, 0, 1024); errs.flag(o, "is_spoiler", at+".is_spoiler") {
			u.spoiler = true
		}
		if seen[id] {
			errs.add(at+".id", "BASE_TYPE_INVALID", "This id is listed twice.")
		}
		seen[id] = true
		_, isFile := f.files[id]
		isOld := old != nil && slices.ContainsFunc(old.files, func(a *attachment) bool { return a.id == id })
		if !isFile && !isOld {
			errs.add(at+".id", "ATTACHMENT_NOT_FOUND", "Attachment data not found")
		}
		described[id] = u
	}
	kept := 0
	if old != nil {
		kept = len(keptFiles(old, f.fields))
	}
	if kept+len(numbers) > filesMost {
		errs.add("attachments", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
	}
	var out []upload
	for _, n := range numbers {
		u := f.files[n]
		if d, ok := described[n]; ok {
			u.name, u.description, u.spoiler = d.name, d.description, d.spoiler
		}
		out = append(out, u)
	}
	return out
}

// readAllowed reads allowed_mentions; nil when there is none. Source:
// resources/message, "Allowed Mentions Object".
func readAllowed(errs *formErrors, body obj) *allowed {
	v, ok := body["allowed_mentions"]
	if !ok || v == nil {
		return nil
	}
	o, ok := v.(obj)
	if !ok {
		errs.add("allowed_mentions", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
		return nil
	}
	a := &allowed{
		users: errs.texts(o, "users", "allowed_mentions.users"), roles: errs.texts(o, "roles", "allowed_mentions.roles"),
		reply: errs.flag(o, "replied_user", "allowed_mentions.replied_user"),
	}
	for i, kind := range errs.texts(o, "parse", "allowed_mentions.parse") {
		switch kind {
		case "users":
			a.parseUsers = true
		case "roles":
			a.parseRoles = true
		case "everyone":
			a.everyone = true
		default:
			errs.choice("allowed_mentions.parse."+strconv.Itoa(i), "users", "roles", "everyone")
		}
	}
	for _, list := range []struct {
		name  string
		ids   []string
		parse bool
	}{{"users", a.users, a.parseUsers}, {"roles", a.roles, a.parseRoles}} {
		at := "allowed_mentions." + list.name
		if len(list.ids) > 100 {
			errs.add(at, "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")
		}
		if len(list.ids) > 0 && list.parse {
			errs.add("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", "parse:[\""+list.name+"\"] and "+list.name+": [ids...] are mutually exclusive.")
		}
		for i, id := range list.ids {
			if !isSnowflake(id) {
				errs.add(at+"."+strconv.Itoa(i), "NUMBER_TYPE_COERCE", "Value \""+id+"\" is not snowflake.")
			}
		}
	}
	return a
}

// readEmbeds checks embeds against their limits. Source: resources/message,
// "Embed Limits".
func readEmbeds(errs *formErrors, body obj) []obj {
	list := errs.objects(body, "embeds", "embeds")
	if len(list) > 10 {
		errs.add("embeds", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
	}
	sum := 0
	for i, e := range list {
		at := "embeds." + strconv.Itoa(i)
		text := func(o obj, name, at string, most int, required bool) {
			t := errs.text(o, name, at+"."+name)
			if required && t == "" {
				errs.required(at + "." + name)
			}
			errs.length(at+"."+name, t, 0, most)
			sum += textLen(t)
		}
		text(e, "title", at, 256, false)
		text(e, "description", at, 4096, false)
		checkURL(errs, e, "url", at, false)
		if footer := asObj(e["footer"]); footer != nil {
			text(footer, "text", at+".footer", 2048, true)
			checkURL(errs, footer, "icon_url", at+".footer", true)
		}
		if author := asObj(e["author"]); author != nil {
			text(author, "name", at+".author", 256, true)
			checkURL(errs, author, "url", at+".author", false)
			checkURL(errs, author, "icon_url", at+".author", true)
		}
		for _, part := range []string{"image", "thumbnail"} {
			if o := asObj(e[part]); o != nil {
				checkURL(errs, o, "url", at+"."+part, true)
			}
		}
		fields := errs.objects(e, "fields", at+".fields")
		if len(fields) > 25 {
			errs.add(at+".fields", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
		}
		for n, o := range fields {
			fat := at + ".fields." + strconv.Itoa(n)
			text(o, "name", fat, 256, true)
			text(o, "value", fat, 1024, true)
			errs.flag(o, "inline", fat+".inline")
		}
		if n, ok := errs.number(e, "color", at+".color"); ok && (n < 0 || n > 0xffffff) {
			errs.add(at+".color", "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215.")
		}
	}
	if sum > 6000 {
		errs.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")
	}
	return list
}

// checkURL holds an address of an embed: http, https, and attachment where a
// file may stand.
func checkURL(errs *formErrors, o obj, name, at string, file bool) {
	text := errs.text(o, name, at+"."+name)
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && (u.Scheme != "attachment" || !file) || u.Host == "" {
		scheme := ""
		if err == nil {
			scheme = u.Scheme
		}
		if scheme != "" && !oneOf(scheme, "http", "https", "attachment") {
			errs.add(at+"."+name, "URL_TYPE_INVALID_SCHEME", "Scheme \""+scheme+"\" is not supported. Scheme must be one of ('http', 'https').")
			return
		}
		errs.add(at+"."+name, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
	}
	errs.length(at+"."+name, text, 0, 2048)
}
