package fedisim

import (
	"fmt"
	"net/http"
)

// wording is Mastodon's texts in a language that Options.Lang knows; clients must
// not match on them.
func wording(lang string) map[string]string {
	switch lang {
	case "de":
		return map[string]string{
			"notFound": "Eintrag nicht gefunden", "invalid": "Der Zugriffstoken ist ungültig", "login": "Diese Methode erfordert einen angemeldeten Nutzer",
			"rate": "Zu viele Anfragen", "blank": "Validierung fehlgeschlagen: Text darf nicht leer sein",
			"long": "Validierung fehlgeschlagen: Zeichenlimit von 500 überschritten", "parent": "Der Beitrag, auf den du antworten möchtest, scheint nicht zu existieren.",
			"media": "Medien {ids} nicht gefunden oder bereits angehängt", "visibility": "Validierung fehlgeschlagen: Sichtbarkeit ist kein gültiger Wert",
			"files":   "Es können nicht mehr als {max} Dateien angehängt werden",
			"mixed":   "Es kann kein Video an einen Beitrag angehängt werden, der bereits Bilder enthält",
			"unready": "Dateien, die noch nicht verarbeitet wurden, können nicht angehängt werden. Versuche es gleich noch einmal!",
		}
	case "ja":
		return map[string]string{
			"notFound": "レコードが見つかりません", "invalid": "アクセストークンは無効です", "login": "この操作にはログインが必要です",
			"rate": "リクエストの回数制限に達しました", "blank": "バリデーションに失敗しました: Textを入力してください",
			"long": "バリデーションに失敗しました: 文字数の上限を超えています", "parent": "返信先の投稿は存在しないようです。",
			"media": "メディア {ids} が存在しないか、すでに添付して投稿されています", "visibility": "バリデーションに失敗しました: Visibilityは一覧にありません",
			"files":   "追加できるファイルは{max}つまでです",
			"mixed":   "既に画像が追加されているため、動画を追加することはできません",
			"unready": "ファイルのアップロードに失敗しました。しばらくしてからもう一度お試しください！",
		}
	default:
		return map[string]string{
			"notFound": "Record not found", "invalid": "The access token is invalid", "login": "This method requires an authenticated user",
			"rate": "Too many requests", "blank": "Validation failed: Text can't be blank",
			"long": "Validation failed: Text character limit of 500 exceeded", "parent": "The post you are trying to reply to does not appear to exist.",
			"media": "Media {ids} not found or already attached to another post", "visibility": "Validation failed: Visibility is not included in the list",
			"files":   "Cannot attach more than {max} files",
			"mixed":   "Cannot attach a video to a post that already contains images",
			"unready": "Cannot attach files that have not finished processing. Try again in a moment!",
		}
	}
}

func (s *Server) text(key string) string {
	return wording(s.opt.Lang)[key]
}

// fail makes an error answer in the server's own manner: key names one of the
// texts above, code is Misskey's.
func (s *Server) fail(status int, key, code string) *answer {
	a := &answer{status: status, ctype: jsonType}
	english := wording("en")[key]
	switch s.profile {
	case GoToSocial:
		a.ctype = "application/json"
		a.body = []byte(`{"error":` + quoted(http.StatusText(status)+": "+english) + `}`)
	case Snac:
		a.ctype = "text/html; charset=utf-8"
		a.body = []byte(fmt.Sprintf("<h1>%d %s</h1>", status, http.StatusText(status)))
	case Sharkey:
		a.body = []byte(`{"error":` + quoted(code) + `,"error_description":` + quoted(english) + `}`)
	default:
		a.body = []byte(`{"error":` + quoted(s.text(key)) + `}`)
	}
	return a
}

func (s *Server) notFound() *answer { return s.fail(http.StatusNotFound, "notFound", "NO_SUCH_NOTE") }

// noRoute answers a path that the server does not have.
func (s *Server) noRoute() *answer {
	a := &answer{status: http.StatusNotFound, ctype: jsonType}
	switch s.profile {
	case Akkoma:
		a.body = []byte(`{"error":"Not implemented"}`)
	case Sharkey: // the error is an object here
		a.body = []byte(`{"error":{"message":"Unknown API endpoint.","code":"UNKNOWN_API_ENDPOINT","id":"2ca3b769-540a-4f08-9dd5-b5a825b6d0f1","kind":"client"}}`)
	case GoToSocial:
		a.ctype = "application/json"
		a.body = []byte(`{"error":"Not Found: page not found"}`)
	case Snac:
		return s.notFound()
	default:
		a.body = []byte(`{"error":"Not Found"}`)
	}
	return a
}

// unauthorized answers a token that is not valid, or none. Akkoma says 403.
func (s *Server) unauthorized(token string) *answer {
	key := "invalid"
	if token == "" {
		key = "login"
	}
	switch s.profile {
	case Akkoma:
		return &answer{status: http.StatusForbidden, ctype: jsonType, body: []byte(`{"error":"Invalid credentials."}`)}
	case Sharkey:
		a := s.fail(http.StatusUnauthorized, key, "AUTHENTICATION_FAILED")
		return a
	}
	a := s.fail(http.StatusUnauthorized, key, "")
	if s.profile == Mastodon && token != "" {
		a.set("Www-Authenticate", `Bearer realm="Doorkeeper", error="invalid_token", error_description="The access token is invalid"`)
	}
	return a
}

// refuse is an answer whose text is the server's own, whatever its language.
func (s *Server) refuse(status int, text string) *answer {
	switch s.profile {
	case GoToSocial:
		return &answer{status: status, ctype: "application/json", body: []byte(`{"error":` + quoted(http.StatusText(status)+": "+text) + `}`)}
	case Sharkey:
		return &answer{status: status, ctype: jsonType, body: []byte(`{"error":"INVALID_PARAM","error_description":` + quoted(text) + `}`)}
	}
	return &answer{status: status, ctype: jsonType, body: []byte(`{"error":` + quoted(text) + `}`)}
}
