package words

// What “rookery doctor” finds of the gallery, and what helps. A key that ends
// in _help has the placeholders of the texts it goes with.
const (
	// An account of the gallery, named {account}, and its server. {size} and
	// {films} are megabytes of a picture and of a film.
	DoctorGalleryLimits      Key = "doctor_gallery.limits"       // {server}, {n} files a post, {size}, {films}, {alt} characters
	DoctorGalleryLimitsOwn   Key = "doctor_gallery.limits_own"   // {most} megabytes
	DoctorGalleryNoPictures  Key = "doctor_gallery.no_pictures"  // {server}
	DoctorGalleryNoPicsHelp  Key = "doctor_gallery.no_pics_help" // {account}
	DoctorGalleryAltHelp     Key = "doctor_gallery.alt_help"
	DoctorGalleryTail        Key = "doctor_gallery.tail"      // {n} characters, {chars} of a post
	DoctorGalleryTailHelp    Key = "doctor_gallery.tail_help" // {account}
	DoctorGalleryEdits       Key = "doctor_gallery.edits"     // {server}
	DoctorGalleryEditsUnsure Key = "doctor_gallery.edits_unsure"
	DoctorGalleryRates       Key = "doctor_gallery.rates"      // {server}, {uploads}, {posts} and {deletions} an hour
	DoctorGalleryAboutHelp   Key = "doctor_gallery.about_help" // {server}

	// Discord.
	DoctorGalleryContent      Key = "doctor_gallery.content"
	DoctorGalleryContentHelp  Key = "doctor_gallery.content_help"
	DoctorGalleryOff          Key = "doctor_gallery.off"
	DoctorGalleryOn           Key = "doctor_gallery.on"            // {n} guilds
	DoctorGalleryNoChannels   Key = "doctor_gallery.no_channels"   // {guild}
	DoctorGalleryChannels     Key = "doctor_gallery.channels"      // {n}
	DoctorGalleryUnlooked     Key = "doctor_gallery.unlooked"      // {n} channels
	DoctorGalleryGone         Key = "doctor_gallery.gone"          // {guild}, {id}
	DoctorGalleryGoneHelp     Key = "doctor_gallery.gone_help"     // {guild}
	DoctorGalleryMay          Key = "doctor_gallery.may"           // {guild}, {channel}, {permissions}
	DoctorGalleryUnclear      Key = "doctor_gallery.unclear"       // {guild}, {id}, {reason}
	DoctorGalleryStranger     Key = "doctor_gallery.stranger"      // {account}, {id} of a guild
	DoctorGalleryStrangerHelp Key = "doctor_gallery.stranger_help" // {account}
	DoctorGalleryNowhere      Key = "doctor_gallery.nowhere"       // {guild}
	DoctorGalleryNowhereHelp  Key = "doctor_gallery.nowhere_help"  // {id} of the guild

	// The model that describes pictures, ffmpeg and the operator's texts.
	DoctorGalleryVisionNever   Key = "doctor_gallery.vision_never"
	DoctorGalleryVisionNone    Key = "doctor_gallery.vision_none"
	DoctorGalleryWho           Key = "doctor_gallery.who" // {processor}
	DoctorGalleryWhoOwn        Key = "doctor_gallery.who_own"
	DoctorGalleryWhoHost       Key = "doctor_gallery.who_host" // {processor}
	DoctorGalleryWhoHelp       Key = "doctor_gallery.who_help"
	DoctorGalleryModelListed   Key = "doctor_gallery.model_listed"   // {model}, {url}
	DoctorGalleryModelSees     Key = "doctor_gallery.model_sees"     // {model}, {url}
	DoctorGalleryModelBlind    Key = "doctor_gallery.model_blind"    // {model}, {url}
	DoctorGalleryModelUnlisted Key = "doctor_gallery.model_unlisted" // {model}, {url}
	DoctorGalleryModelHelp     Key = "doctor_gallery.model_help"
	DoctorGalleryNoList        Key = "doctor_gallery.no_list" // {url}
	DoctorGalleryRefused       Key = "doctor_gallery.refused" // {url}, {reason}
	DoctorGalleryRefusedHelp   Key = "doctor_gallery.refused_help"
	DoctorGalleryDown          Key = "doctor_gallery.down" // {url}, {reason}
	DoctorGalleryDownHelp      Key = "doctor_gallery.down_help"
	DoctorGalleryShown         Key = "doctor_gallery.shown"           // {model}, {ms}, {answer}
	DoctorGalleryNotShown      Key = "doctor_gallery.not_shown"       // {model}, {url}, {reason}
	DoctorGalleryFfmpegMissing Key = "doctor_gallery.ffmpeg_missing"  // {program}, {reason}, {also} DoctorGalleryFfmpegGIFs or nothing
	DoctorGalleryFfmpegNoFilms Key = "doctor_gallery.ffmpeg_no_films" // {version}, {path}, {also} likewise
	DoctorGalleryFfmpegNoGIFs  Key = "doctor_gallery.ffmpeg_no_gifs"  // likewise
	DoctorGalleryFfmpegGIFs    Key = "doctor_gallery.ffmpeg_gifs"
	DoctorGalleryFfmpegOff     Key = "doctor_gallery.ffmpeg_off"
	DoctorGalleryFfmpegOffHelp Key = "doctor_gallery.ffmpeg_off_help"
	DoctorGalleryTexts         Key = "doctor_gallery.texts"      // {file}
	DoctorGalleryTextsBad      Key = "doctor_gallery.texts_bad"  // {reason}, which names the file
	DoctorGalleryTextsHelp     Key = "doctor_gallery.texts_help" // {file}
)
