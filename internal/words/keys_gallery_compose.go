package words

// What the gallery's posts are made of.
const (
	GalleryComposeSpoiler Key = "gallery_compose.spoiler" // stands for hidden words
	GalleryComposeSomeone Key = "gallery_compose.someone" // a member whose name is not known
	GalleryComposeRole    Key = "gallery_compose.role"    // the same of a role
	GalleryComposeChannel Key = "gallery_compose.channel" // and of a channel
	GalleryComposeMoment  Key = "gallery_compose.moment"  // {date} {time} {zone}
	GalleryComposeNoTime  Key = "gallery_compose.no_time"

	// Pages of a guild, as Discord calls them.
	GalleryComposePageCustomize Key = "gallery_compose.page_customize"
	GalleryComposePageBrowse    Key = "gallery_compose.page_browse"
	GalleryComposePageGuide     Key = "gallery_compose.page_guide"
	GalleryComposePageRoles     Key = "gallery_compose.page_roles"

	GalleryComposeFirstPart Key = "gallery_compose.first_part" // {part} {parts}
	GalleryComposeNextPart  Key = "gallery_compose.next_part"  // {part} {parts}

	GalleryComposeAltModel Key = "gallery_compose.alt_model" // {text} is a model's
	GalleryComposeAltDraft Key = "gallery_compose.alt_draft" // {text} is a model's that a person changed

	GalleryComposeCredit      Key = "gallery_compose.credit"       // {name}
	GalleryComposeCreditLinks Key = "gallery_compose.credit_links" // {name} {links}
	GalleryComposeLinks       Key = "gallery_compose.links"        // {links}
)
