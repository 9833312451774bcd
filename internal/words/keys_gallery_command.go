package words

// What the commands of the gallery print. {link} is a post.
const (
	GalleryCommandDeleting      Key = "gallery_command.deleting"       // {link}
	GalleryCommandDeletingLater Key = "gallery_command.deleting_later" // {link}
	GalleryCommandTakenBack     Key = "gallery_command.taken_back"     // {link}
	GalleryCommandDeleteNothing Key = "gallery_command.delete_nothing" // {link}, {state}

	GalleryCommandLedgerBroken Key = "gallery_command.ledger_broken" // {reason}

	GalleryCommandNoLetters    Key = "gallery_command.no_letters"
	GalleryCommandLetter       Key = "gallery_command.letter"        // {id}, {author}, {time}
	GalleryCommandLetterDirect Key = "gallery_command.letter_direct" // likewise
	GalleryCommandLetterDone   Key = "gallery_command.letter_done"
)
