package gallery

import (
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
