// Package boorusim is image boards on loopback: Philomena (Derpibooru,
// Furbooru), Danbooru and e621, each with its own search syntax, documents,
// limits and moods, with pictures that it draws itself, and with faults and
// hostile files on demand.
//
// It is a real HTTP server and knows nothing of the clients that ask it. The
// rules are those of the boards' published sources and help pages:
//
//   - https://github.com/philomena-dev/philomena: lib/philomena_query/parse
//     (lexer, parser, parsers of values), lib/philomena/images/query.ex
//     (fields), lib/philomena/tags/tag.ex (how a tag is written),
//     lib/philomena_web/image_sorter.ex, views/api/json/image_view.ex; its
//     OpenAPI description, whose introduction has the rate limits
//   - https://derpibooru.org/pages/search_syntax
//   - https://github.com/danbooru/danbooru: app/logical/post_query.rb,
//     post_query/parser.rb, post_query/ast.rb, post_query_builder.rb;
//     https://danbooru.donmai.us/wiki_pages/help:cheatsheet and help:api
//   - https://github.com/e621ng/e621ng: app/logical/tag_query.rb,
//     app/serializers/post_serializer.rb, config/danbooru_default_config.rb;
//     https://e621.net/help/api and https://e621.net/help/cheatsheet
//
// Uploading, accounts, comments, galleries and every page for people it leaves
// out, and it judges no client: what was asked is in Server.Requests.
package boorusim
