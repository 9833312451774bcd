package fedi

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestInstanceFallsBackFromV2ToV1ToSingleFieldsToDefaults(t *testing.T) {
	t.Parallel()
	const html404 = "<h1>404 Not Found</h1>"
	nodeinfo := func(name string) map[string]string {
		return map[string]string{
			"/.well-known/nodeinfo": `{"links":[{"rel":"http://nodeinfo.diaspora.software/ns/schema/2.0","href":"BASE/nodeinfo/2.0"}]}`,
			"/nodeinfo/2.0":         `{"version":"2.0","software":{"name":"` + name + `","version":"1"}}`,
		}
	}
	for name, tc := range map[string]struct {
		docs map[string]string
		want Instance
	}{
		"Mastodon": {
			map[string]string{"/api/v2/instance": `{"domain":"Art.example","version":"4.6.4","source_url":"https://github.com/mastodon/mastodon","configuration":{
				"urls":{"streaming":"wss://stream.art.example"},"statuses":{"max_characters":1000,"max_media_attachments":6,"characters_reserved_per_url":23},
				"media_attachments":{"supported_mime_types":["image/png"],"description_limit":10000,"image_size_limit":1,"image_matrix_limit":2,"video_size_limit":3,"video_matrix_limit":4,"video_frame_rate_limit":5}}}`},
			Instance{Software: Mastodon, GIFPixel: mastodonGIF, Version: "4.6.4", Domain: "art.example", Streaming: "wss://stream.art.example", MaxChars: 1000, MaxCharsTold: true,
				URLChars: 23, MaxMedia: 6, MaxAlt: 10000, MIMETypes: []string{"image/png"}, ImageSize: 1, ImagePixel: 2, VideoSize: 3, VideoPixel: 4, VideoRate: 5},
		},
		"GoToSocial, several hosts": {
			map[string]string{"/api/v2/instance": `{"domain":"art.example","account_domain":"art.example","version":"0.20.1+git-abcdef","configuration":{
				"statuses":{"max_characters":5000,"max_media_attachments":6,"characters_reserved_per_url":25},"accounts":{"allow_custom_css":true}}}`},
			Instance{Software: GoToSocial, Version: "0.20.1+git-abcdef", Domain: "art.example", MaxChars: 5000, MaxCharsTold: true, MaxMedia: 6,
				MaxAlt: defaultMaxAlt, ImageSize: defaultImageSize, VideoSize: defaultVideoSize},
		},
		"Akkoma: no v2, no configuration": {
			map[string]string{"/api/v1/instance": `{"uri":"https://art.example","version":"2.7.2 (compatible; Akkoma 3.13.2)","max_toot_chars":5000,"upload_limit":16000000,
				"description_limit":"5000","urls":{"streaming_api":"wss://art.example"},"pleroma":{"metadata":{}}}`},
			Instance{Software: Akkoma, Version: "2.7.2 (compatible; Akkoma 3.13.2)", Domain: "art.example", Streaming: "wss://art.example", MaxChars: 5000, MaxCharsTold: true,
				MaxMedia: defaultMaxMedia, MaxAlt: 5000, ImageSize: 16000000, VideoSize: 16000000},
		},
		"snac: v2 is a web page": {
			map[string]string{"/api/v2/instance": html404, "/api/v1/instance": `{"uri":"art.example","version":"4.0.0 (not true; really snac/2.96)","configuration":{"statuses":{"max_characters":null}}}`},
			Instance{Software: Snac, Version: "4.0.0 (not true; really snac/2.96)", Domain: "art.example", MaxChars: 500, MaxMedia: 4, MaxAlt: 1500,
				ImageSize: defaultImageSize, VideoSize: defaultVideoSize},
		},
		"Sharkey": {
			map[string]string{"/api/v1/instance": `{"uri":"art.example","version":"3.0.0 (compatible; Sharkey 2025.2.2; like Akkoma)","configuration":{
				"statuses":{"max_characters":3000,"max_media_attachments":16,"characters_reserved_per_url":19}}}`},
			Instance{Software: Misskey, Version: "3.0.0 (compatible; Sharkey 2025.2.2; like Akkoma)", Domain: "art.example", MaxChars: 3000, MaxCharsTold: true, MaxMedia: 16, MaxAlt: 1500,
				ImageSize: defaultImageSize, VideoSize: defaultVideoSize},
		},
		"Mastodon 3 by nodeinfo": {
			with(nodeinfo("mastodon"), "/api/v1/instance", `{"uri":"art.example","version":"3.0.0"}`),
			Instance{Software: Mastodon, GIFPixel: mastodonGIF, Version: "3.0.0", Domain: "art.example", MaxChars: 500, URLChars: 23, MaxMedia: 4, MaxAlt: 1500, ImageSize: defaultImageSize, VideoSize: defaultVideoSize},
		},
		"old GoToSocial by nodeinfo": {
			with(nodeinfo("gotosocial"), "/api/v1/instance", `{"uri":"http://localhost","version":"0.2.0 31935ee","max_toot_chars":5000}`),
			Instance{Software: GoToSocial, Version: "0.2.0 31935ee", Domain: "localhost", MaxChars: 5000, MaxCharsTold: true, MaxMedia: 4, MaxAlt: 1500, ImageSize: defaultImageSize, VideoSize: defaultVideoSize},
		},
		"another make": {
			map[string]string{"/api/v1/instance": `{"uri":"art.example","version":"3.0.0 (compatible; Mitra 0.4.0)","post_character_limit":5000}`},
			Instance{Software: SoftwareUnknown, Version: "3.0.0 (compatible; Mitra 0.4.0)", Domain: "art.example", MaxChars: 5000, MaxCharsTold: true, MaxMedia: 4, MaxAlt: 1500, ImageSize: defaultImageSize, VideoSize: defaultVideoSize},
		},
		"v2 without configuration": {
			map[string]string{"/api/v2/instance": `{"domain":"art.example","version":"1","source_url":"https://github.com/mastodon/mastodon"}`, "/api/v1/instance": `{"uri":"web.art.example","version":"1","max_toot_chars":77}`},
			Instance{Software: Mastodon, GIFPixel: mastodonGIF, Version: "1", Domain: "art.example", MaxChars: 77, MaxCharsTold: true, URLChars: 23, MaxMedia: 4, MaxAlt: 1500, ImageSize: defaultImageSize, VideoSize: defaultVideoSize},
		},
		"v1 with all limits": {
			map[string]string{"/api/v1/instance": `{"uri":"art.example","version":"3.5.0+glitch","configuration":{"statuses":{"max_characters":500,"max_media_attachments":4},
				"media_attachments":{"supported_mime_types":["image/gif","video/mp4"],"image_size_limit":10485760,"image_matrix_limit":16777216,"video_size_limit":41943040,"video_frame_rate_limit":60,"video_matrix_limit":2304000}}}`},
			Instance{Software: Mastodon, GIFPixel: mastodonGIF, Version: "3.5.0+glitch", Domain: "art.example", MaxChars: 500, MaxCharsTold: true, URLChars: 23, MaxMedia: 4, MaxAlt: 1500,
				MIMETypes: []string{"image/gif", "video/mp4"}, ImageSize: 10485760, ImagePixel: 16777216, VideoSize: 41943040, VideoPixel: 2304000, VideoRate: 60},
		},
		"v2 with files and v1 with words": {
			map[string]string{"/api/v2/instance": `{"domain":"art.example","version":"0.21.0+git-1","configuration":{"media_attachments":{"image_size_limit":40,"video_size_limit":50,"description_limit":60}}}`,
				"/api/v1/instance": `{"uri":"art.example","version":"0.21.0+git-1","configuration":{"statuses":{"max_characters":77}}}`},
			Instance{Software: GoToSocial, Version: "0.21.0+git-1", Domain: "art.example", MaxChars: 77, MaxCharsTold: true, MaxMedia: 4, MaxAlt: 60, ImageSize: 40, VideoSize: 50},
		},
		"snac: limits of nought are none": {
			map[string]string{"/api/v1/instance": `{"uri":"art.example","version":"4.0.0 (not true; really snac/2.96)","configuration":{"statuses":{"max_media_attachments":8},
				"media_attachments":{"image_matrix_limit":0,"image_size_limit":0,"video_frame_rate_limit":0,"video_matrix_limit":0,"video_size_limit":0,"supported_mime_types":["image/jpeg","image/gif"]}}}`},
			Instance{Software: Snac, Version: "4.0.0 (not true; really snac/2.96)", Domain: "art.example", MaxChars: 500, MaxMedia: 8, MaxAlt: 1500,
				MIMETypes: []string{"image/jpeg", "image/gif"}, ImageSize: defaultImageSize, VideoSize: defaultVideoSize},
		},
		"nothing but an empty document": {
			map[string]string{"/api/v1/instance": `{}`},
			Instance{Software: SoftwareUnknown, Domain: "HOST", MaxChars: 500, MaxMedia: 4, MaxAlt: 1500, ImageSize: defaultImageSize, VideoSize: defaultVideoSize},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				doc, ok := tc.docs[r.URL.Path]
				if !ok || strings.HasPrefix(doc, "<") {
					w.WriteHeader(404)
				}
				io.WriteString(w, strings.ReplaceAll(doc, "BASE", "http://"+r.Host))
				if strings.HasPrefix(r.URL.Path, "/.well-known/") && r.Header.Get("Authorization") != "" {
					t.Error("nodeinfo needs no token")
				}
			})
			if tc.want.Domain == "HOST" {
				tc.want.Domain = c.base.Host
			}
			got, err := c.Instance(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, tc.want)
			if c.software() != tc.want.Software || c.Converter().Domain != tc.want.Domain {
				t.Errorf("the client took it for %q on %q", c.software(), c.Converter().Domain)
			}
		})
	}
}

func with(docs map[string]string, path, doc string) map[string]string {
	docs[path] = doc
	return docs
}

func TestInstanceFailsOnlyWhenNothingAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		h    http.HandlerFunc
		want Class
	}{
		"web page":      {answerWith(200, "text/html", page), Transient},
		"down":          {answerWith(502, "text/html", page), Transient},
		"no such thing": {answerWith(404, "application/json", `{"error":"x"}`), Gone},
		"token":         {answerWith(401, "application/json", `{"error":"x"}`), Auth},
		"too many":      {answerWith(429, "application/json", `{"error":"x"}`), Rate},
	} {
		c, _ := serve(t, tc.h)
		if in, err := c.Instance(t.Context()); ClassOf(err) != tc.want {
			t.Errorf("%s: %+v, %v", name, in, err)
		}
		if c.probed {
			t.Errorf("%s: the client believes it has been told", name)
		}
	}
}

func TestLength(t *testing.T) {
	t.Parallel()
	mastodon := Instance{Software: Mastodon, URLChars: 23}
	gts := Instance{Software: GoToSocial}
	unknown := Instance{URLChars: 23}
	long := "https://art.example/" + strings.Repeat("x", 80) // 100 characters
	for name, tc := range map[string]struct {
		in       Instance
		text, cw string
		want     int
	}{
		"empty":                      {mastodon, "", "", 0},
		"plain and warning":          {mastodon, "hello", "cw", 7},
		"GoToSocial with warning":    {gts, "hello", "cw", 7},
		"characters, not bytes":      {mastodon, "héllo 🦊", "ü", 8},
		"long address":               {mastodon, "see " + long + ".", "", 4 + 23 + 1},
		"short address":              {mastodon, "http://a.de", "", 23},
		"two addresses":              {mastodon, long + "\n" + long, "", 47},
		"GoToSocial counts it all":   {gts, "see " + long, "", 104},
		"unknown make, long":         {unknown, long, "", 100},
		"unknown make, short":        {unknown, "http://a.de", "", 23},
		"address in a warning":       {mastodon, "", long, 100},
		"address inside a word":      {mastodon, "x" + long, "", 101},
		"no dot in the host":         {mastodon, "http://localhost/" + strings.Repeat("x", 40), "", 57},
		"remote mention":             {mastodon, "@ada@art.example hi", "", 7},
		"local mention":              {mastodon, "@ada hi", "", 7},
		"mention in brackets":        {mastodon, "(@ada@art.example)", "", 6},
		"mail address":               {mastodon, "ada@art.example", "", 15},
		"GoToSocial, remote mention": {gts, "@ada@art.example hi", "", 19},
		"Sharkey, UTF-16":            {Instance{Software: Misskey}, "a🦊", "🦊", 5},
	} {
		if got := tc.in.Length(tc.text, tc.cw); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
}
