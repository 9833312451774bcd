package community

import "testing"

func TestReplyIsNeverWiderThanAskedAndAtMostUnlisted(t *testing.T) {
	for asked, want := range map[Visibility]Visibility{
		Public: Unlisted, Unlisted: Unlisted, Followers: Followers, Direct: Direct,
		"": Direct, "mutuals_only": Direct, "local": Direct, "PUBLIC": Direct,
	} {
		if got := asked.ForReply(); got != want {
			t.Errorf("reply to %q is %q, want %q", asked, got, want)
		}
	}
}
