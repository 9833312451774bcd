package words

// What an offer to share a message on the Fediverse says, and what is said
// when it is answered. {account} is the account that posts, as a handle.
const (
	GallerySettingsTitle    Key = "gallery.settings_title"
	GallerySettingsHelp     Key = "gallery.settings_help"
	GallerySettingEnabled   Key = "gallery.setting_enabled"
	GallerySettingChannels  Key = "gallery.setting_channels"
	GallerySettingOffers    Key = "gallery.setting_offers"
	GallerySettingAccounts  Key = "gallery.setting_accounts"
	GallerySettingImages    Key = "gallery.setting_images"
	GallerySettingVideos    Key = "gallery.setting_videos"
	GallerySettingAudio     Key = "gallery.setting_audio"
	GallerySettingDescribed Key = "gallery.setting_described"
	GallerySettingRoles     Key = "gallery.setting_roles"
	GallerySettingDays      Key = "gallery.setting_days"
	GallerySettingDaily     Key = "gallery.setting_daily"
	GallerySettingHourly    Key = "gallery.setting_hourly"
	GallerySettingReview    Key = "gallery.setting_review"

	GalleryOffer          Key = "gallery.offer"           // {account}: anyone can see it
	GalleryOfferFollowers Key = "gallery.offer_followers" // {account}: only its followers can
	GalleryOfferAIOn      Key = "gallery.offer_ai_on"     // {processor}
	GalleryOfferAIOff     Key = "gallery.offer_ai_off"
	GalleryOfferAIDrafted Key = "gallery.offer_ai_drafted" // {processor}: it got pictures for drafts
	GalleryOfferNoAI      Key = "gallery.offer_no_ai"      // where no model can be turned on
	GalleryOfferRights    Key = "gallery.offer_rights"
	GalleryOwnMachine     Key = "gallery.own_machine" // takes the place of {processor}
	GallerySomeAccount    Key = "gallery.some_account"

	GalleryPostFollowers Key = "gallery.post_followers"
	GalleryPost          Key = "gallery.post" // labels of buttons: 80 characters at most
	GalleryNo            Key = "gallery.no"
	GalleryDescribe      Key = "gallery.describe"
	GalleryAIOn          Key = "gallery.ai_on"
	GalleryAIOff         Key = "gallery.ai_off"
	GalleryWhat          Key = "gallery.what"
	GalleryCW            Key = "gallery.cw"
	GalleryCreditsOn     Key = "gallery.credits_on"
	GalleryCreditsOff    Key = "gallery.credits_off"
	GalleryRefresh       Key = "gallery.refresh"
	GalleryNever         Key = "gallery.never"
	GalleryAs            Key = "gallery.as" // the menu of accounts
	GalleryCancel        Key = "gallery.cancel"
	GalleryDelete        Key = "gallery.delete"
	GalleryEdit          Key = "gallery.edit"
	GalleryAnyway        Key = "gallery.anyway"
	GalleryDraft         Key = "gallery.draft" // {processor}

	GalleryPreview          Key = "gallery.preview"
	GalleryPreviewCW        Key = "gallery.preview_cw" // {cw}
	GalleryPreviewEmpty     Key = "gallery.preview_empty"
	GalleryPreviewCut       Key = "gallery.preview_cut"
	GalleryPreviewSensitive Key = "gallery.preview_sensitive"
	GalleryPreviewMedium    Key = "gallery.preview_medium"  // {n}, {name}; a description follows
	GalleryPreviewSpoiler   Key = "gallery.preview_spoiler" // likewise, of a spoiler
	GalleryPreviewAltCut    Key = "gallery.preview_alt_cut" // {n} characters
	GalleryPreviewAI        Key = "gallery.preview_ai"      // {processor}
	GalleryPreviewNone      Key = "gallery.preview_none"
	GalleryPreviewParts     Key = "gallery.preview_parts" // {n} fit into one post
	GalleryAdults           Key = "gallery.adults"        // the content warning of what comes from a channel for adults

	GalleryInReview      Key = "gallery.in_review"      // {account}
	GalleryUnderWay      Key = "gallery.under_way"      // {account}
	GalleryPosted        Key = "gallery.posted"         // {link}
	GalleryPostedWithout Key = "gallery.posted_without" // {n} media, {which} are their numbers
	GalleryDeleting      Key = "gallery.deleting"       // {account}
	GalleryRejected      Key = "gallery.rejected"       // {account}
	GalleryOver          Key = "gallery.over"

	GalleryWhatFediverse Key = "gallery.what_fediverse" // {account}
	GalleryWhatFollowers Key = "gallery.what_followers" // {account}: only its followers see it
	GalleryWhatAI        Key = "gallery.what_ai"        // {processor}, {model}
	GalleryWhatCopies    Key = "gallery.what_copies"
	GalleryWhatKept      Key = "gallery.what_kept"
	GalleryWhatContact   Key = "gallery.what_contact" // {contact}
	GalleryWhatTerms     Key = "gallery.what_terms"   // {link}
	GalleryWhatPrivacy   Key = "gallery.what_privacy" // {link}

	GalleryThanks        Key = "gallery.thanks"        // {account}
	GalleryThanksReview  Key = "gallery.thanks_review" // {account}
	GalleryCode          Key = "gallery.code"          // {code}
	GalleryDeclined      Key = "gallery.declined"
	GalleryNeverAgain    Key = "gallery.never_again"
	GalleryCancelled     Key = "gallery.cancelled"
	GalleryCancelling    Key = "gallery.cancelling"
	GalleryKept          Key = "gallery.kept"
	GalleryAlready       Key = "gallery.already" // {link}
	GalleryAlreadyAgreed Key = "gallery.already_agreed"
	GalleryChangedSince  Key = "gallery.changed_since"

	GalleryUndescribed         Key = "gallery.undescribed"          // {n} of {all}
	GalleryUndescribedRequired Key = "gallery.undescribed_required" // likewise
	GalleryPanel               Key = "gallery.panel"
	GalleryPage                Key = "gallery.page"       // {from}, {to}
	GalleryPageOne             Key = "gallery.page_one"   // {from}
	GalleryFormTitle           Key = "gallery.form_title" // 45 characters at most
	GalleryField               Key = "gallery.field"      // {n}, {name}
	GalleryFieldHint           Key = "gallery.field_hint" // 100 characters at most
	GalleryCWField             Key = "gallery.cw_field"   // 45 characters at most
	GalleryCWHint              Key = "gallery.cw_hint"    // 100 characters at most
	GalleryDescribed           Key = "gallery.described"  // {n} are left
	GalleryDescribedAll        Key = "gallery.described_all"
	GalleryDescribedPost       Key = "gallery.described_post"
	GalleryDraftingAlready     Key = "gallery.drafting_already"
	GalleryDrafted             Key = "gallery.drafted"
	GalleryDraftsFailed        Key = "gallery.drafts_failed" // {n}

	// Why something is not done.
	GalleryGone           Key = "gallery.gone"
	GalleryMessageGone    Key = "gallery.message_gone"
	GalleryUnreadNow      Key = "gallery.unread_now"
	GalleryHidden         Key = "gallery.hidden"
	GalleryUnreadable     Key = "gallery.unreadable"
	GalleryNotYourOffer   Key = "gallery.not_your_offer"
	GalleryNotYours       Key = "gallery.not_yours"
	GalleryForwarded      Key = "gallery.forwarded"
	GalleryNothingToShare Key = "gallery.nothing_to_share"
	GalleryNoAccount      Key = "gallery.no_account"
	GalleryNoModel        Key = "gallery.no_model"
	GalleryOffHere        Key = "gallery.off_here"
	GalleryBlocked        Key = "gallery.blocked"
	GalleryNoRole         Key = "gallery.no_role"
	GalleryTooNew         Key = "gallery.too_new"       // {n} days
	GalleryDailyLimit     Key = "gallery.daily_limit"   // {n}
	GalleryHourlyLimit    Key = "gallery.hourly_limit"  // {n}
	GalleryMayNotWrite    Key = "gallery.may_not_write" // {permissions}

	// Deletion.
	GalleryNotDeleted         Key = "gallery.not_deleted"          // {server}, {reason}
	GalleryOperatorNotDeleted Key = "gallery.operator_not_deleted" // {link}, {reason}; for the operator
	GalleryDeletedNow         Key = "gallery.deleted_now"          // {server}
	GalleryTakenDown          Key = "gallery.taken_down"           // {guild}, {link}, {server}; for the artist
	GalleryNoPost             Key = "gallery.no_post"
	GalleryNotYourPost        Key = "gallery.not_your_post"
	GallerySure               Key = "gallery.sure" // {link}
	GallerySureYes            Key = "gallery.sure_yes"
	GallerySureNo             Key = "gallery.sure_no"
	GalleryDeletedBefore      Key = "gallery.deleted_before"
	GalleryDeletingNow        Key = "gallery.deleting_now"

	// Review by moderators.
	GalleryReviewAsk      Key = "gallery.review_ask"      // {artist}, {account}, {link} of their message
	GalleryReviewApproved Key = "gallery.review_approved" // likewise
	GalleryReviewRejected Key = "gallery.review_rejected" // likewise
	GalleryReviewOver     Key = "gallery.review_over"     // likewise
	GalleryApprove        Key = "gallery.approve"
	GalleryReject         Key = "gallery.reject"
	GalleryModeratorsOnly Key = "gallery.moderators_only"
	GalleryReviewDone     Key = "gallery.review_done"
	GalleryRejectTitle    Key = "gallery.reject_title"  // 45 characters at most
	GalleryRejectReason   Key = "gallery.reject_reason" // 45 characters at most
	GalleryRestored       Key = "gallery.restored"
	GalleryGuildForbidden Key = "gallery.guild_forbidden" // {channel}
	GalleryGuildNoReview  Key = "gallery.guild_no_review"
	GalleryReviewFailed   Key = "gallery.review_failed"
)
