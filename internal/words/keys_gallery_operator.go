package words

// What the operator of a gallery is told, and what they may publish about it.
const (
	GalleryOperatorLetter       Key = "gallery_operator.letter"        // {account}, {id} of the letter
	GalleryOperatorLetterDirect Key = "gallery_operator.letter_direct" // likewise
	GalleryOperatorStrange      Key = "gallery_operator.strange"       // {link}, {account} by its id

	// {account}, {guilds}, {contact}, {processor}, {model}.
	GalleryOperatorAboutSomewhere    Key = "gallery_operator.about_somewhere" // takes the place of {guilds}
	GalleryOperatorAboutProfileTitle Key = "gallery_operator.about_profile_title"
	GalleryOperatorAboutProfile      Key = "gallery_operator.about_profile" // for a field of a profile: 255 characters at most
	GalleryOperatorAboutTitle        Key = "gallery_operator.about_title"
	GalleryOperatorAboutWhat         Key = "gallery_operator.about_what"
	GalleryOperatorAboutConsent      Key = "gallery_operator.about_consent"
	GalleryOperatorAboutAI           Key = "gallery_operator.about_ai"
	GalleryOperatorAboutNoAI         Key = "gallery_operator.about_no_ai"
	GalleryOperatorAboutDelete       Key = "gallery_operator.about_delete"
	GalleryOperatorAboutContact      Key = "gallery_operator.about_contact"
	GalleryOperatorTakedownTitle     Key = "gallery_operator.takedown_title"
	GalleryOperatorTakedown          Key = "gallery_operator.takedown"
	GalleryOperatorTakedownDirect    Key = "gallery_operator.takedown_direct" // where {contact} is {account} itself
	GalleryOperatorTakedownArtists   Key = "gallery_operator.takedown_artists"
	GalleryOperatorTakedownCopies    Key = "gallery_operator.takedown_copies"
)
