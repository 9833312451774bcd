package discord

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strconv"
	"strings"
)

// messageBody is the body of a request that carries a message: JSON, or with
// files a form whose payload_json is that. The files are streamed from the
// database, so that a body never takes more memory than a chunk. Source:
// reference, "Uploading Files".
func (d *Discord) messageBody(ctx context.Context, payload any, files []File) (body, error) {
	if len(files) == 0 {
		return jsonBody(payload)
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		return body{}, fmt.Errorf("encode a message: %w", err)
	}
	var frame bytes.Buffer // what stands between the files
	w := multipart.NewWriter(&frame)
	var readers []io.Reader
	var size int64
	add := func(r io.Reader, n int64) {
		readers = append(readers, r)
		size += n
	}
	flush := func() {
		add(strings.NewReader(frame.String()), int64(frame.Len()))
		frame.Reset()
	}
	head := textproto.MIMEHeader{}
	head.Set("Content-Disposition", `form-data; name="payload_json"`)
	head.Set("Content-Type", "application/json")
	if err := formPart(w, head, raw); err != nil {
		return body{}, err
	}
	for i, f := range files {
		contentType, reader, n := "text/plain; charset=utf-8", io.Reader(strings.NewReader(f.Text)), int64(len(f.Text))
		if f.Key != "" {
			file, err := d.keptFile(ctx, f.Key)
			if err != nil {
				return body{}, err
			}
			contentType, reader, n = cmp.Or(headerText(file.contentType), "application/octet-stream"), &chunks{ctx: ctx, d: d, file: file}, file.size
		}
		head := textproto.MIMEHeader{}
		head.Set("Content-Disposition", `form-data; name="files[`+strconv.Itoa(i)+`]"; filename="`+headerText(f.wireName())+`"`)
		head.Set("Content-Type", contentType)
		if err := formPart(w, head, nil); err != nil {
			return body{}, err
		}
		flush()
		add(reader, n)
	}
	if err := w.Close(); err != nil {
		return body{}, fmt.Errorf("encode a message: %w", err)
	}
	flush()
	return body{contentType: w.FormDataContentType(), size: size, reader: io.MultiReader(readers...)}, nil
}

func formPart(w *multipart.Writer, head textproto.MIMEHeader, content []byte) error {
	p, err := w.CreatePart(head)
	if err == nil {
		_, err = p.Write(content)
	}
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	return nil
}

// headerText is a text that may stand within quotes in a header.
func headerText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '\\':
			return '_'
		case r < ' ' || r == 0x7f:
			return -1
		}
		return r
	}, s)
}
