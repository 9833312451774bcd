package words

// The proof of what a member agreed to in the gallery: one page of plain text.
const (
	GalleryLedgerTitle Key = "gallery_ledger.title" // {submission}

	// What stands before a line's colon.
	GalleryLedgerMember    Key = "gallery_ledger.member"
	GalleryLedgerMessage   Key = "gallery_ledger.message"
	GalleryLedgerTarget    Key = "gallery_ledger.target"
	GalleryLedgerPost      Key = "gallery_ledger.post"
	GalleryLedgerAgreement Key = "gallery_ledger.agreement"
	GalleryLedgerAI        Key = "gallery_ledger.ai"
	GalleryLedgerChain     Key = "gallery_ledger.chain"

	GalleryLedgerPseudonym      Key = "gallery_ledger.pseudonym"       // {subject}
	GalleryLedgerNamed          Key = "gallery_ledger.named"           // {name} {subject}
	GalleryLedgerWhere          Key = "gallery_ledger.where"           // {message} {channel} {guild}
	GalleryLedgerStands         Key = "gallery_ledger.stands"          // {time}
	GalleryLedgerNever          Key = "gallery_ledger.never"           // nobody agreed
	GalleryLedgerEnded          Key = "gallery_ledger.ended"           // {time} {event}: it was agreed to, and is over
	GalleryLedgerAINone         Key = "gallery_ledger.ai_none"         // never turned on, nothing sent
	GalleryLedgerAIAllowed      Key = "gallery_ledger.ai_allowed"      // {processor}: turned on, nothing sent
	GalleryLedgerAISent         Key = "gallery_ledger.ai_sent"         // {processor}
	GalleryLedgerProcessorModel Key = "gallery_ledger.processor_model" // {processor} {model}
	GalleryLedgerEntries        Key = "gallery_ledger.entries"         // {first} {last} {hash}

	GalleryLedgerMedia  Key = "gallery_ledger.media"   // a heading
	GalleryLedgerEvents Key = "gallery_ledger.events"  // a heading
	GalleryLedgerTexts  Key = "gallery_ledger.texts"   // a heading
	GalleryLedgerText   Key = "gallery_ledger.text"    // {text} is its number, {hash}
	GalleryLedgerAlt    Key = "gallery_ledger.alt"     // {source}
	GalleryLedgerNoHash Key = "gallery_ledger.no_hash" // of a medium

	// What is said of an entry.
	GalleryLedgerWithText  Key = "gallery_ledger.with_text"  // {text} is its number
	GalleryLedgerWithMedia Key = "gallery_ledger.with_media" // {media} are numbers
	GalleryLedgerByOther   Key = "gallery_ledger.by_other"   // {name}
	GalleryLedgerModerator Key = "gallery_ledger.moderator"
	GalleryLedgerOperator  Key = "gallery_ledger.operator"

	GalleryLedgerViaButton      Key = "gallery_ledger.via_button"
	GalleryLedgerViaCommand     Key = "gallery_ledger.via_command"
	GalleryLedgerViaContextMenu Key = "gallery_ledger.via_context_menu"
	GalleryLedgerViaCommandLine Key = "gallery_ledger.via_command_line"
	GalleryLedgerViaCode        Key = "gallery_ledger.via_code"
	GalleryLedgerViaMessage     Key = "gallery_ledger.via_message" // what became of it decided
	GalleryLedgerViaTime        Key = "gallery_ledger.via_time"    // it ran out

	GalleryLedgerAltDiscord Key = "gallery_ledger.alt_discord"
	GalleryLedgerAltWritten Key = "gallery_ledger.alt_written"
	GalleryLedgerAltDraft   Key = "gallery_ledger.alt_draft"
	GalleryLedgerAltModel   Key = "gallery_ledger.alt_model"
	GalleryLedgerAltNone    Key = "gallery_ledger.alt_none"

	GalleryLedgerOffered    Key = "gallery_ledger.offered"
	GalleryLedgerAgreed     Key = "gallery_ledger.agreed"
	GalleryLedgerAIOn       Key = "gallery_ledger.ai_on"
	GalleryLedgerAIOff      Key = "gallery_ledger.ai_off"
	GalleryLedgerDrafted    Key = "gallery_ledger.drafted"
	GalleryLedgerDescribed  Key = "gallery_ledger.described"
	GalleryLedgerApproved   Key = "gallery_ledger.approved"
	GalleryLedgerRejected   Key = "gallery_ledger.rejected"
	GalleryLedgerPosted     Key = "gallery_ledger.posted"
	GalleryLedgerEdited     Key = "gallery_ledger.edited"
	GalleryLedgerVoid       Key = "gallery_ledger.void"
	GalleryLedgerWithdrawn  Key = "gallery_ledger.withdrawn"
	GalleryLedgerDeclined   Key = "gallery_ledger.declined"
	GalleryLedgerExpired    Key = "gallery_ledger.expired"
	GalleryLedgerDeleted    Key = "gallery_ledger.deleted"
	GalleryLedgerTakenDown  Key = "gallery_ledger.taken_down"
	GalleryLedgerGone       Key = "gallery_ledger.gone"
	GalleryLedgerNotDeleted Key = "gallery_ledger.not_deleted"
	GalleryLedgerRevoked    Key = "gallery_ledger.revoked"
	GalleryLedgerAdopted    Key = "gallery_ledger.adopted"
)
