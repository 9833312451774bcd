package gallery

import (
	"fmt"

	"rookery/internal/discord"
	"rookery/internal/gallery/texts"
	"rookery/internal/words"
)

// TextKeys are the texts that the operator can change: what an artist is asked
// and told. The exact words that were shown go into the ledger.
func TextKeys() []texts.Key {
	label := func(k words.Key) texts.Key { return texts.Key{Name: k, Most: mostButton} }
	long := func(k words.Key) texts.Key { return texts.Key{Name: k, Most: discord.MaxContent / 2} }
	return []texts.Key{
		long(words.GalleryOffer), long(words.GalleryOfferFollowers), long(words.GalleryOfferAIOn), long(words.GalleryOfferAIOff), long(words.GalleryOfferAIDrafted), long(words.GalleryOfferNoAI),
		long(words.GalleryOfferRights), label(words.GalleryOwnMachine),
		label(words.GalleryPost), label(words.GalleryPostFollowers), label(words.GalleryNo), label(words.GalleryDescribe), label(words.GalleryAIOn), label(words.GalleryAIOff), label(words.GalleryWhat),
		label(words.GalleryCW), label(words.GalleryCreditsOn), label(words.GalleryCreditsOff), label(words.GalleryRefresh), label(words.GalleryNever),
		label(words.GalleryCancel), label(words.GalleryDelete), label(words.GalleryEdit), label(words.GalleryAnyway),
		long(words.GalleryWhatFediverse), long(words.GalleryWhatFollowers), long(words.GalleryWhatAI), long(words.GalleryWhatCopies), long(words.GalleryWhatKept), long(words.GalleryWhatContact),
		long(words.GalleryWhatTerms), long(words.GalleryWhatPrivacy),
		long(words.GalleryThanks), long(words.GalleryThanksReview), long(words.GalleryCode), long(words.GalleryPosted), long(words.GalleryDeclined), long(words.GalleryNeverAgain),
		long(words.GalleryUndescribed), long(words.GalleryUndescribedRequired),
	}
}

// What is shown in one message must fit into it, with room for a handle, a
// processor and a note: Discord refuses a longer one, and nobody would be asked.
const mostTogether = discord.MaxContent - 300

// LoadTexts reads the operator's texts from a file. Its error says what to do.
func LoadTexts(path string) (*texts.Texts, error) {
	t, err := texts.Load(path, TextKeys())
	if err != nil {
		return nil, err
	}
	for _, l := range words.Languages() {
		for _, all := range together() {
			n, names := 0, ""
			for _, k := range all {
				n += discord.Length(t.Say(l, k, nil))
				if names != "" {
					names += ", "
				}
				names += string(k)
			}
			if n > mostTogether {
				return nil, fmt.Errorf("%s: [%s] the texts %s stand in one message and have %d characters together: at most %d fit; shorten them", path, l, names, n, mostTogether)
			}
		}
	}
	return t, nil
}

// together are the texts that one message shows.
func together() [][]words.Key {
	var all [][]words.Key
	for _, offer := range []words.Key{words.GalleryOffer, words.GalleryOfferFollowers} {
		for _, ai := range []words.Key{words.GalleryOfferAIOn, words.GalleryOfferAIOff, words.GalleryOfferAIDrafted, words.GalleryOfferNoAI} {
			all = append(all, []words.Key{offer, ai, words.GalleryOfferRights})
		}
	}
	for _, thanks := range []words.Key{words.GalleryThanks, words.GalleryThanksReview, words.GalleryPosted} {
		all = append(all, []words.Key{thanks, words.GalleryCode})
	}
	return all
}
