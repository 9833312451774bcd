package gallery

import (
	"slices"

	"rookery/internal/gallery/compose"
	"rookery/internal/words"
)

// by is whose words describe a medium.
func (m medium) by() altBy {
	if m.By == byNobody && m.said() != "" {
		return byModel
	}
	return m.By
}

// said is what the model says of a medium; "" for nothing.
func (m medium) said() string {
	if m.Model != "" {
		return m.Model
	}
	return m.Draft
}

// drafted tells whether pictures have gone to the model already: then no offer
// says that they go to none.
func (s *submission) drafted() bool {
	return s.Drafted != "" || slices.ContainsFunc(s.Media, func(m medium) bool { return m.said() != "" || m.By == byDraft || m.By == byEdited })
}

// draftedBy is who got them; now is who runs the model now.
func (s *submission) draftedBy(now string) string {
	if s.Drafted == "" {
		return now
	}
	return s.Drafted
}

// source is by as compose and the ledger have it.
func (m medium) source() compose.Source {
	switch m.by() {
	case byDiscord:
		return compose.Discord
	case byArtist:
		return compose.Written
	case byEdited:
		return compose.Draft
	case byDraft, byModel:
		return compose.Model
	case byNobody:
	}
	return compose.None
}

// undescribed counts the media that nobody has described.
func (s *submission) undescribed() int {
	n := 0
	for _, m := range s.Media {
		if m.by() == byNobody {
			n++
		}
	}
	return n
}

// undescribedPictures counts those among them that a model could describe.
func (s *submission) undescribedPictures() int {
	n := 0
	for _, m := range s.Media {
		if m.by() == byNobody && m.picture() {
			n++
		}
	}
	return n
}

// sensitive tells whether the post hides its media: any one spoiler is enough,
// and so is an age-restricted channel, or a warning.
func (s *submission) sensitive() bool {
	for _, m := range s.Media {
		if m.Spoiler {
			return true
		}
	}
	return s.AgeRestricted || s.HidSpoiler || s.CW != ""
}

// warning is the post's content warning; what comes from a channel for adults
// always has one.
func (s *submission) warning() string {
	if s.CW == "" && s.AgeRestricted {
		return words.Match(s.Language).Say(words.GalleryAdults, nil)
	}
	return s.CW
}

// asks tells whether a yes to the model is of use: it was given for the one
// that there is now.
func (g *Gallery) asks(s *submission) bool {
	return s.AI && g.Model != nil && s.Processor == g.processorName() && s.Model == g.ModelName
}

// processorName is who runs the model, as the ledger has it.
func (g *Gallery) processorName() string {
	if g.Processor == "" {
		return "the operator's own machine"
	}
	return g.Processor
}

// alt is the description with which a medium is posted, in so many characters
// at most; "" for none.
func (m medium) alt(l words.Language, most int) (text string, cut bool) {
	words := m.Alt
	if m.By == byNobody {
		words = m.said()
	}
	return compose.Alt(m.source(), words, l, most)
}
