package sandbox

// sharing is the story of a server whose members share their art on the
// Fediverse: nothing leaves without a yes, and what has left can be taken back,
// whatever fails meanwhile.
func sharing() story {
	return story{
		name:    "gallery",
		summary: "an artist shares pictures from Discord with consent, and takes them back; nothing is posted twice, whatever fails",
		intro: []string{
			"Ada shows her drawings in a forum of a Discord server. The bot offers to post them on the Fediverse, as @gallery.",
			"The bot is the real program on an ordinary configuration; Discord, the instance and the model are simulated here.",
			"On the way it is killed, the instance is down for an hour, and Ada leaves: each picture is posted once or not at all.",
		},
		settings: settings{discord: true, gallery: true, moves: true},
		steps: []step{
			{"The bot starts; Olga turns the gallery on with /setup, for the forum #art", galleryOpens},
			{"Ada opens a thread with two pictures, one a spoiler: she is asked, and nobody is pinged", galleryOffers},
			{"Ben, who is not the artist, presses “Post publicly”: he is told no, and nobody else sees it", galleryRefusesBen},
			{"Ada describes one picture and turns AI on for the other: no picture has gone anywhere yet", galleryAsksAda},
			{"Ada presses “Post publicly”: the post stands, sensitive, with both descriptions, and the thread links it", galleryPosts},
			{"Killed between the upload and the post: one post", killedBeforePost},
			{"Killed between the post and the acknowledgement: one post, and the thread links it", killedBeforeAcknowledgement},
			{"Ben's /delete_fedi is refused", galleryRefusesDeletion},
			{"Ada's thread is deleted; her /delete_fedi in a direct message deletes the post", deletedWithoutThread},
			{"Ada has left the server; the app that she installed for herself deletes the second post", deletedFromOutside},
			{"Whoever has the delete code deletes the third", deletedByCode},
			{"Cleo's first thread: “No thanks” ends it", galleryDeclined},
			{"Her second: nobody answers for three days, and the offer goes away", galleryExpires},
			{"Her third is a link to a picture: what the link shows is posted", gallerySharesLink},
			{"Her fourth has ten pictures; the instance takes four in one post", galleryTenPictures},
			{"Her fifth meets an instance that is down for an hour: she is told, and it is posted afterwards", galleryInstanceDown},
			{"The model was shown no picture but those for which the ledger has a yes", galleryLedger},
		},
	}
}
