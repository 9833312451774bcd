package texts

import (
	"bytes"
	"fmt"
	"strings"

	"rookery/internal/words"
)

const header = `# Texts of Rookery in your own words. This file is named under [gallery] in the
# configuration: texts = "FILE". Each line that begins with # is not in force; to
# change a text, take the # away from its lines and write your own. What stands
# in braces, {like_this}, is filled in and has to stay.
`

// Default is a file of these texts as the catalogue has them, all of them
// commented out: for whoever wants to change some.
func Default(keys []Key) []byte {
	var b bytes.Buffer
	b.WriteString(header)
	for _, l := range words.Languages() {
		fmt.Fprintf(&b, "\n\n[%s]\n", l)
		for _, k := range keys {
			t, ok := l.Template(k.Name)
			if !ok {
				continue
			}
			b.WriteString("\n")
			if k.Most > 0 {
				fmt.Fprintf(&b, "# At most %d characters, the placeholders not counted.\n", k.Most)
			}
			forms := t.Forms()
			if len(forms) == 1 {
				entry(&b, string(k.Name), forms["other"])
				continue
			}
			for _, form := range []string{"one", "few", "many", "other"} {
				if text, has := forms[form]; has {
					entry(&b, string(k.Name)+"."+form, text)
				}
			}
		}
	}
	return b.Bytes()
}

// entry writes one text, commented out.
func entry(b *bytes.Buffer, key, text string) {
	quoted := `"` + escape(text) + `"`
	if strings.Contains(text, "\n") {
		// The line break after the opening quotes is not part of the text.
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			lines[i] = escape(line)
		}
		quoted = `"""` + "\n" + strings.Join(lines, "\n") + `"""`
	}
	for line := range strings.SplitSeq(key+" = "+quoted, "\n") {
		b.WriteString("#" + line + "\n")
	}
}

// escape is a text within the quotes of a TOML string.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
