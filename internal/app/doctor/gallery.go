package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"

	"rookery/internal/app/config"
	"rookery/internal/fedi"
	"rookery/internal/media"
	"rookery/internal/words"
)

// What the feature gallery needs of an account and its server, and the
// operator's texts.

// checkGallery compares what the server takes with what members share.
func (a *account) checkGallery(_ context.Context, r *report) {
	in := a.instance
	args := words.Args{"server": a.Server, "n": in.MaxMedia, "size": in.ImageSize / megabyte, "films": in.VideoSize / megabyte, "alt": in.MaxAlt}
	takes := func(t media.Type) bool { return len(in.MIMETypes) == 0 || slices.Contains(in.MIMETypes, string(t)) }
	if !takes(media.JPEG) && !takes(media.PNG) {
		r.fail(words.DoctorGalleryNoPictures, words.DoctorGalleryNoPicsHelp, args)
		return
	}
	r.ok(words.DoctorGalleryLimits, args)
	if most := a.MaxUpload; most > 0 {
		r.ok(words.DoctorGalleryLimitsOwn, words.Args{"most": most / megabyte})
	}
	if in.MaxAlt < shortAlt && in.MaxAlt > 0 {
		r.warn(words.DoctorPicturesAlt, words.DoctorGalleryAltHelp, args)
	}
	if n := utf8.RuneCountInString(a.PostTail); in.MaxChars > 0 && n > in.MaxChars/2 {
		r.warn(words.DoctorGalleryTail, words.DoctorGalleryTailHelp, words.Args{"n": n, "chars": in.MaxChars})
	}
	if editsDescriptions(in.Software) {
		r.ok(words.DoctorGalleryEdits, args)
	} else {
		r.ok(words.DoctorGalleryEditsUnsure, args)
	}
	if in.Software == fedi.Mastodon && a.RateLimits {
		// https://docs.joinmastodon.org/api/rate-limits/: 30 uploads and 30
		// deletions in half an hour, 300 posts in three.
		posts := 100
		if a.PostsPerHour > 0 {
			posts = min(posts, a.PostsPerHour)
		}
		r.ok(words.DoctorGalleryRates, words.Args{"server": a.Server, "uploads": 60, "posts": posts, "deletions": 60})
	}
}

// editsDescriptions tells of which servers it is known that a description can
// be changed once it is posted.
func editsDescriptions(s fedi.Software) bool {
	return slices.Contains([]fedi.Software{fedi.Mastodon, fedi.GoToSocial, fedi.Akkoma, fedi.Pleroma, fedi.Misskey}, s)
}

// checkAbout looks whether strangers who see a post can find out whom to write
// to, in the profile or in one of its rows.
func (a *account) checkAbout(_ context.Context, r *report) {
	profile := strings.ToLower(a.client.Converter().Member(a.me).Note)
	for _, f := range a.me.Fields {
		profile += "\n" + strings.ToLower(f.Value)
	}
	user, _, _ := strings.Cut(strings.ToLower(a.cfg.Operator.Fediverse), "@")
	contact := strings.ToLower(a.Contact)
	if strings.Contains(profile, "@"+user) || contact != "" && strings.Contains(profile, strings.TrimPrefix(contact, "@")) {
		r.ok(words.DoctorProfileOk, nil)
		return
	}
	r.warn(words.DoctorProfileSilent, words.DoctorGalleryAboutHelp, words.Args{"server": a.Server})
}

// checkGalleryFFmpeg says what the gallery cannot do without ffmpeg.
func (d *doctor) checkGalleryFFmpeg(r *report, tool media.Tool) {
	switch {
	case !d.cfg.Doing(config.FeatureGallery):
	case d.cfg.GIFs.FFmpeg == config.FFmpegOff:
		r.warn(words.DoctorGalleryFfmpegOff, words.DoctorFfmpegHelp, nil)
	case tool.Path == "" || !tool.H264 || !tool.Palette:
		r.warn(words.DoctorGalleryFfmpeg, words.DoctorFfmpegHelp, nil)
	}
}

// mostTexts bounds what is read of a file of texts.
const mostTexts = 1 << 20

// checkTexts reads the operator's own texts.
func (d *doctor) checkTexts(_ context.Context, r *report) {
	file := d.cfg.Gallery.Texts
	args := words.Args{"file": file}
	look := d.Texts
	if look == nil {
		look = isTOML
	}
	if err := look(file); err != nil {
		args["reason"] = cut(oneLine(err.Error()), 500)
		if errors.Is(err, fs.ErrNotExist) {
			args["reason"] = "there is no such file"
		}
		r.fail(words.DoctorGalleryTextsBad, words.DoctorGalleryTextsHelp, args)
		return
	}
	r.ok(words.DoctorGalleryTexts, args)
}

func isTOML(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostTexts+1))
	switch {
	case err != nil:
		return err
	case len(data) > mostTexts:
		return fmt.Errorf("it is larger than %d KiB", mostTexts>>10)
	}
	var any map[string]any
	err = toml.Unmarshal(data, &any)
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := bad.Position()
		return fmt.Errorf("line %d: %s", line, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return err
}
