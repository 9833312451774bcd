package gallery

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/failpoint"
	"rookery/internal/fedi"
	"rookery/internal/gallery/compose"
	"rookery/internal/media"
	"rookery/internal/store"
	"rookery/internal/words"
)

const (
	// uploadTroubles is how often in a row a server may answer to an upload with
	// a failure of its own, before that counts as the file's: some answer so to
	// what they cannot read. Then the others pass.
	uploadTroubles = 3
	// uploadPatience is how often after that the same file is tried.
	uploadPatience = 6
)

// upload brings one medium to the server. There is one file on the disk at a
// time, and at most one other that is made of it.
func (w *worker) upload(ctx context.Context, a Account, s *submission, m *medium, url string) error {
	if url == "" {
		return &back{note: words.GalleryWorkMissing, args: words.Args{"name": discord.Name(m.Name)}}
	}
	f, err := w.Media.Download(ctx, url, 0)
	if err != nil {
		return w.unusable(ctx, a, m, err)
	}
	// Whatever becomes of it, nothing stays on the disk.
	defer func() { w.throwAway(f) }()
	failpoint.At("y6-downloaded")
	if err := w.identify(ctx, s, m, f); err != nil {
		return err
	}
	if err := w.describeWhilePosting(ctx, s, m, f); err != nil {
		return err
	}
	// Where it was made, and with what, is nobody's business.
	bare, err := w.Media.WithoutMetadata(ctx, f)
	if err != nil {
		return w.unusable(ctx, a, m, err)
	}
	if bare.Path != f.Path {
		w.throwAway(f)
		f = bare
	}
	in, err := w.fedi.Limits(a.ID)
	if err != nil {
		return err
	}
	limits := limitsOf(in, a.MaxUpload)
	for second := false; ; second = true {
		info, id, err := w.send(ctx, a, s, m, f, limits, in.MaxAlt)
		if err == nil {
			return w.noteMedium(ctx, s, m, func(m *medium) { m.Sent, m.Kind = id, string(kindOf(info)) })
		}
		switch class := fedi.ClassOf(err); {
		case info.Type == "": // it was not even sent
			return w.unusable(ctx, a, m, err)
		case class == fedi.Unsupported:
			return w.unfit(a, m)
		case (class == fedi.RejectedMedia || class == fedi.Invalid) && !second:
			w.Log.Info("the server refuses a file; a smaller form is tried", "account", a.ID, "file", info.String(), "error", err)
			limits = smaller(limits, info)
		case class == fedi.RejectedMedia, class == fedi.Invalid:
			return w.unfit(a, m)
		case inside(err):
			return w.maybeItsFile(ctx, a, s, m, err)
		default:
			return err
		}
	}
}

// identify notes what the artist has given, and makes sure that it is what may
// be shared, by its bytes.
func (w *worker) identify(ctx context.Context, s *submission, m *medium, f media.File) error {
	k, err := w.Settings.kinds(ctx, s.Guild)
	if err != nil {
		return err
	}
	if !k.takes(f.Type) {
		return &back{note: words.GalleryWorkKindOff, args: words.Args{"name": discord.Name(m.Name)}}
	}
	hash, err := f.SHA256()
	if err != nil || hash == m.SHA256 {
		return err
	}
	return w.noteMedium(ctx, s, m, func(m *medium) { m.SHA256, m.Model = hash, "" })
}

// takes tells whether a file of a type may be shared.
func (k kinds) takes(t media.Type) bool {
	return k.images && t.Image() || k.videos && t.Video() || k.sound && t.Audio()
}

// send uploads one form of a file. Without an info, none could be made.
func (w *worker) send(ctx context.Context, a Account, s *submission, m *medium, f media.File, limits media.Limits, mostAlt int) (media.Info, string, error) {
	converting, cancel := context.WithTimeout(ctx, w.ConvertTimeout)
	form, err := w.Media.Fit(converting, f, limits)
	cancel()
	if err != nil {
		return media.Info{}, "", err
	}
	if form.Path != f.Path {
		defer w.throwAway(form)
	}
	// The artist's name for it may say more than they meant to. Ours is its own,
	// for snac keeps files by their names.
	alt, _ := m.alt(words.Match(s.Language), mostAlt)
	id, err := w.fedi.Attach(ctx, a.ID, uploadKey(s.ID, m.N), fedi.Upload{Open: form.Open, Size: form.Size,
		Name: fmt.Sprintf("%s-%d%s", s.ID, m.N, form.Type.Ext()), Type: string(form.Type), Description: alt})
	if err == nil {
		failpoint.At("y8-uploaded")
	}
	return form.Info, id, err
}

// unusable tells what becomes of a submission one of whose files cannot be had,
// or not in a form that the server takes.
func (w *worker) unusable(ctx context.Context, a Account, m *medium, err error) error {
	if ctx.Err() != nil {
		return err
	}
	given := func(note words.Key) error {
		w.Log.Info("a file cannot be posted", "account", a.ID, "error", err)
		return &back{note: note, args: words.Args{"name": discord.Name(m.Name), "account": handleOf(a)}}
	}
	if _, ok := errors.AsType[*media.Unfit](err); ok {
		return given(words.GalleryWorkUnfit)
	}
	if media.KindOf(err) == "" && errors.Is(err, context.DeadlineExceeded) {
		return given(words.GalleryWorkCannotConvert) // the time for converting it is over
	}
	switch media.KindOf(err) {
	case media.NotMedia:
		return given(words.GalleryWorkNotMedia)
	case media.Broken:
		return given(words.GalleryWorkBroken)
	case media.NotFound:
		return given(words.GalleryWorkMissing)
	case media.NotPublic:
		return given(words.GalleryWorkNotPublic)
	case media.TooLarge:
		return given(words.GalleryWorkTooLarge)
	case media.FFmpegMissing, media.FFmpegTimeout, media.FFmpegKilled, media.FFmpegFailed, media.FFmpegResult:
		return given(words.GalleryWorkCannotConvert)
	case media.Transient:
		return &own{err: err, name: m.Name}
	case media.NoSpace:
	}
	return err
}

func (w *worker) unfit(a Account, m *medium) error {
	return &back{note: words.GalleryWorkUnfit, args: words.Args{"name": discord.Name(m.Name), "account": handleOf(a)}}
}

// inside tells that a server failed within: at an upload that may be its
// trouble with this file.
func inside(err error) bool {
	e, ok := errors.AsType[*fedi.Error](err)
	return ok && e.Status == http.StatusInternalServerError
}

// maybeItsFile decides whose trouble it is when a server fails at an upload.
func (w *worker) maybeItsFile(ctx context.Context, a Account, s *submission, m *medium, err error) error {
	p, _, readErr := readProgress(ctx, w.Store, s.ID)
	if readErr != nil {
		return readErr
	}
	failures, readErr := w.failures(ctx, a.ID)
	switch {
	case readErr != nil:
		return readErr
	case p.failures >= uploadPatience:
		return w.unfit(a, m)
	case p.failures > 0 || failures >= uploadTroubles:
		return &own{err: err, name: m.Name}
	}
	return err
}

// failures is how often in a row the work on an account has met trouble.
func (w *worker) failures(ctx context.Context, account community.AccountID) (n int64, err error) {
	err = w.Store.QueryRow(ctx, `select failures from gallery_worker where account = $1`, string(account)).Scan(&n)
	if errors.Is(err, store.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

func (w *worker) throwAway(f media.File) {
	if err := f.Remove(); err != nil {
		w.Log.Debug("a temporary file stays until the next start", "error", err)
	}
}

// limitsOf is what a server takes; most is our own bound for one file, 0 for
// none.
func limitsOf(in fedi.Instance, most int64) media.Limits {
	l := media.Limits{ImageBytes: atMost(in.ImageSize, most), ImagePixels: in.ImagePixel, GIFPixels: in.GIFPixel,
		VideoBytes: atMost(in.VideoSize, most), VideoPixels: in.VideoPixel, VideoRate: int(in.VideoRate)}
	for _, t := range in.MIMETypes {
		l.Types = append(l.Types, media.Type(t))
	}
	return l
}

// atMost is the smaller of two bounds, of which 0 is none.
func atMost(a, b int64) int64 {
	if a <= 0 || b > 0 && b < a {
		return b
	}
	return a
}

// smaller are limits that a file which was refused does not keep to, so that it
// is made anew: a server may not have told what it takes, or mind how a film was
// written.
func smaller(l media.Limits, refused media.Info) media.Limits {
	switch pixels := refused.Pixels(); {
	case refused.Type.Image():
		l.ImagePixels = atMost(l.ImagePixels, pixels/2)
	case refused.Type.Video() && pixels > 0:
		l.VideoPixels = atMost(l.VideoPixels, pixels*3/4)
	default:
		l.VideoBytes = atMost(l.VideoBytes, max(refused.Size*3/4, 1))
	}
	return l
}

// kindOf is what a file is to a server.
func kindOf(i media.Info) compose.Kind {
	switch {
	case i.Type == media.GIF && i.Animated:
		return compose.GIF
	case i.Type.Image():
		return compose.Picture
	case i.Type.Audio():
		return compose.Sound
	}
	return compose.Film
}
