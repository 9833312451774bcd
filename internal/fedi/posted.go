package fedi

import (
	"context"
	"net/http"

	"rookery/internal/community"
)

// Posted tells how a post of ours stands on its server: its addresses, text,
// and its media with their descriptions. Where the server has no page for it
// the URL is the URI. Class Gone: it is deleted, or another account's.
func (f *Fedi) Posted(ctx context.Context, account community.AccountID, id community.PostID) (community.Post, error) {
	l, err := f.login(account)
	if err != nil {
		return community.Post{}, err
	}
	s, err := l.client.Status(ctx, id)
	if err != nil {
		return community.Post{}, l.helped(err)
	}
	if _, self := l.account(); s.Account.ID != self.ID || s.ReblogOf != "" {
		return community.Post{}, &Error{Class: Gone, Status: http.StatusOK, Method: http.MethodGet, Path: "/api/v1/statuses/" + string(id),
			Message: "the post is another account's"}
	}
	p := l.client.Converter().Post(s)
	if p.URL == "" {
		p.URL = p.URI
	}
	return p, nil
}

// Mixes tells whether the account's server takes films and moving pictures
// beside still ones, or several of them, in one post. Mastodon and its kin do
// not (validate_media! of app/services/post_status_service.rb there,
// https://docs.joinmastodon.org/user/posting/#attachments); a make or an
// account that is not known is taken for one.
//
// The others look at whose the files are and how many, not at their kinds:
// Akkoma and Pleroma (attachments_from_ids of
// lib/pleroma/web/common_api/utils.ex), GoToSocial (processMedia of
// internal/processing/status/common.go), the Misskey family (fileIds of
// packages/backend/src/server/api/endpoints/notes/create.ts), snac
// (mastoapi_post_handler of mastoapi.c).
func (f *Fedi) Mixes(account community.AccountID) bool {
	in, err := f.Limits(account)
	if err != nil {
		return false
	}
	switch in.Software {
	case Akkoma, Pleroma, GoToSocial, Misskey, Snac:
		return true
	}
	return false
}
