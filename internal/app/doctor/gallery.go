package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

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

// checkGalleryFFmpeg says what the gallery cannot do without ffmpeg, and why:
// text is what stands in the way, program the one that was looked for.
func (d *doctor) checkGalleryFFmpeg(r *report, text words.Key, args words.Args) {
	args["also"] = ""
	if d.cfg.Doing(config.FeatureGIFs) {
		args["also"] = words.Phrase{Key: words.DoctorGalleryFfmpegGIFs}
	}
	r.warn(text, words.DoctorFfmpegHelp, args)
}

// checkTexts reads the operator's own texts. Each mistake has a line to itself.
func (d *doctor) checkTexts(_ context.Context, r *report) {
	file := d.cfg.Gallery.Texts
	args := words.Args{"file": file}
	err := d.cfg.CheckTexts(d.Texts)
	if mistakes, ok := errors.AsType[config.Errors](err); ok {
		for _, m := range mistakes {
			args["reason"] = m.String()
			r.fail(words.DoctorGalleryTextsBad, words.DoctorGalleryTextsHelp, args)
		}
		return
	}
	r.ok(words.DoctorGalleryTexts, args)
}
