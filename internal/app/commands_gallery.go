package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"rookery/internal/app/config"
	"rookery/internal/app/control"
	"rookery/internal/app/importer"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/gallery"
	"rookery/internal/gallery/emoji"
	"rookery/internal/gallery/ledger"
	"rookery/internal/gallery/texts"
	"rookery/internal/publicnet"
	"rookery/internal/words"
)

// Commands for the gallery: its proofs, its deletions, the operator's inbox.

// errNoGallery is returned where nothing does it.
var errNoGallery = errors.New(`no account shows a gallery: write does = ["gallery"] into the section of one, and into [discord] (see docs/gallery.md)`)

type ledgerOf struct{ Member, Post string }

type ledgerRead struct {
	Entries []ledger.Entry
	Broken  string // what is wrong with the ledger as a whole; empty: nothing
}

type deletion struct{ Ref, Note string }

type deleted struct {
	gallery.Deletion
	Account string // its name in the configuration
	Later   bool   // it is done when rookery runs
}

type lettersOf struct {
	All  bool
	Done string // the id of one that is done with
}

type aboutOf struct{ Account, Language string }

type emojiOf struct{ Guild community.GuildID }

type emojiList struct {
	Guild string // its name
	Emoji []discord.Emoji
}

// registerGallery offers the gallery's actions.
func (a *App) registerGallery(s *control.Server) {
	control.Register(s, "gallery.ledger", a.galleryLedger)
	control.Register(s, "gallery.delete", a.galleryDelete)
	control.Register(s, "gallery.inbox", a.galleryInbox)
	control.Register(s, "gallery.about", a.galleryAbout)
	control.Register(s, "gallery.emoji", a.galleryEmoji)
}

// galleryLedger reads the ledger, and verifies all of it before: what stands in
// a ledger that was altered proves nothing, but can still be read.
func (a *App) galleryLedger(ctx context.Context, of ledgerOf) (read ledgerRead, err error) {
	if a.gallery == nil {
		return ledgerRead{}, errNoGallery
	}
	broken := a.gallery.Ledger.Verify(ctx)
	if broken != nil && !errors.Is(broken, ledger.ErrBroken) {
		return ledgerRead{}, broken
	}
	if of.Post != "" {
		read.Entries, err = a.gallery.LedgerOfPost(ctx, of.Post)
	} else {
		read.Entries, err = a.gallery.LedgerOf(ctx, of.Member)
	}
	switch {
	case broken == nil:
	case err != nil:
		err = errors.Join(err, broken)
	default:
		read.Broken = broken.Error()
	}
	return read, err
}

func (a *App) galleryDelete(ctx context.Context, d deletion) (deleted, error) {
	if a.gallery == nil {
		return deleted{}, errNoGallery
	}
	done, err := a.gallery.DeleteByOperator(ctx, d.Ref, d.Note)
	return deleted{Deletion: done, Account: a.nameOf(done.Account)}, err
}

// galleryDeleteAlone is galleryDelete without a running process: it logs in,
// and brings the deletion to its end if the server answers.
func (a *App) galleryDeleteAlone(ctx context.Context, d deletion) (deleted, error) {
	if a.gallery == nil {
		return deleted{}, errNoGallery
	}
	if err := a.fedi.PollOnce(ctx); err != nil {
		a.log.Warn("not every account could be polled", "error", err)
	}
	done, err := a.galleryDelete(ctx, d)
	if err != nil {
		return done, err
	}
	_, err = a.outbox.Sweep(ctx)
	done.Later = true
	return done, err
}

func (a *App) galleryInbox(ctx context.Context, l lettersOf) ([]gallery.Letter, error) {
	if a.gallery == nil {
		return nil, errNoGallery
	}
	if l.Done != "" {
		return nil, a.gallery.LetterDone(ctx, l.Done)
	}
	return a.gallery.ReadLetters(ctx, !l.All)
}

func (a *App) galleryAbout(ctx context.Context, of aboutOf) (string, error) {
	for _, acc := range a.galleryAccounts() {
		if of.Account != "" && acc.Name != of.Account {
			continue
		}
		if acc.Handle == "" {
			return "", fmt.Errorf("the account %s has never logged in: run rookery doctor, which says what is wrong", acc.Name)
		}
		var guilds []string
		if a.onDiscord != nil {
			for _, g := range a.onDiscord.client.Guilds() {
				if on, err := a.onDiscord.gallery.On(ctx, g.ID); err == nil && on && acc.Open(g.ID) {
					guilds = append(guilds, g.Name)
				}
			}
		}
		return a.gallery.About(acc, words.Match(of.Language, acc.Language), guilds), nil
	}
	if of.Account != "" {
		return "", fmt.Errorf("no account %q shows the gallery", of.Account)
	}
	return "", errNoGallery
}

func (a *App) galleryAboutAlone(ctx context.Context, of aboutOf) (string, error) {
	if err := a.fedi.PollOnce(ctx); err != nil {
		a.log.Warn("not every account could be polled", "error", err)
	}
	return a.galleryAbout(ctx, of)
}

func (a *App) galleryEmoji(ctx context.Context, of emojiOf) (emojiList, error) {
	if a.onDiscord == nil {
		return emojiList{}, errors.New("the configuration has no [discord] section, so there is no server whose emoji could be read")
	}
	list, err := a.onDiscord.client.Emoji(ctx, of.Guild)
	if discord.ClassOf(err) == discord.Gone || discord.ClassOf(err) == discord.Forbidden {
		err = fmt.Errorf("the bot is not in a server with the id %q: switch on the developer mode in Discord's settings, then copy the id from the server's menu", of.Guild)
	}
	name := ""
	if g, ok := a.onDiscord.client.Guild(of.Guild); ok {
		name = g.Name
	}
	return emojiList{Guild: name, Emoji: list}, err
}

func (c *cli) galleryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gallery",
		Short: "Proofs, deletions and the operator's inbox of the gallery",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.galleryLedgerCommand(), c.galleryDeleteCommand(), c.galleryInboxCommand(), c.galleryAboutCommand(), c.galleryEmojiCommand(), c.galleryTextsCommand())
	return cmd
}

func (c *cli) galleryLedgerCommand() *cobra.Command {
	var of ledgerOf
	asJSON := false
	cmd := &cobra.Command{
		Use:   "ledger (--member ID | --post LINK)",
		Short: "Show who agreed to what, when and how",
		Long: "Prints the proof for one post on one page (--post: its address, its id or its delete code), or for all that a\n" +
			"member shared (--member: their id on Discord, or what the ledger calls them). With --json, the bare entries.\n" +
			"The whole ledger is verified before; what is wrong with it is said on the error output.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (of.Member == "") == (of.Post == "") {
				return errors.New("say whose or which: --member ID, or --post LINK")
			}
			read, l, err := do(cmd, c, "gallery.ledger", of, func(a *App) func(context.Context, ledgerOf) (ledgerRead, error) { return a.galleryLedger })
			if err != nil {
				return err
			}
			if read.Broken != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), l.Say(words.GalleryCommandLedgerBroken, words.Args{"reason": read.Broken}))
			}
			if asJSON {
				return ledger.JSON(cmd.OutOrStdout(), read.Entries)
			}
			for i, one := range bySubmission(read.Entries) {
				if i > 0 {
					fmt.Fprint(cmd.OutOrStdout(), "\n\f")
				}
				if err := ledger.Proof(cmd.OutOrStdout(), l, of.Member, one); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&of.Member, "member", "", "a member's id on Discord")
	cmd.Flags().StringVar(&of.Post, "post", "", "a post's address, its id, or its delete code")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the entries as JSON")
	return cmd
}

// bySubmission takes entries apart, in the order in which the submissions
// began.
func bySubmission(entries []ledger.Entry) [][]ledger.Entry {
	var all [][]ledger.Entry
	at := map[string]int{}
	for _, e := range entries {
		i, ok := at[e.Submission]
		if !ok {
			i = len(all)
			at[e.Submission] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], e)
	}
	return all
}

func (c *cli) galleryDeleteCommand() *cobra.Command {
	note := ""
	cmd := &cobra.Command{
		Use:   "delete LINK|ID|CODE",
		Short: "Delete a post that was shared",
		Long:  "Deletes a post that a member shared, by its address, its id on its server, or the delete code of its artist.\nIt is recorded as taken down by the operator, and the artist is told.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, l, err := do(cmd, c, "gallery.delete", deletion{args[0], note}, func(a *App) func(context.Context, deletion) (deleted, error) { return a.galleryDeleteAlone })
			if err != nil {
				return err
			}
			key := words.GalleryCommandDeleteNothing
			switch d.Before {
			case gallery.Posted, gallery.Posting, gallery.Deleting:
				key = words.GalleryCommandDeleting
				if d.Later {
					key = words.GalleryCommandDeletingLater
				}
			case gallery.Offered, gallery.Review, gallery.Accepted:
				key = words.GalleryCommandTakenBack
			}
			link := cmp.Or(printableLine(d.Link), d.Submission)
			fmt.Fprintln(cmd.OutOrStdout(), l.Say(key, words.Args{"link": link, "state": string(d.Before)}))
			return nil
		},
	}
	cmd.Flags().StringVar(&note, "note", "", "why, for the ledger")
	return cmd
}

func (c *cli) galleryInboxCommand() *cobra.Command {
	var of lettersOf
	cmd := &cobra.Command{
		Use:   "inbox",
		Short: "Show what was written to the accounts that show the gallery",
		Long:  "Shows mentions and direct messages to the accounts that show the gallery: requests to take something down,\nmistakes in a description. With --done ID, one is put away.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, l, err := do(cmd, c, "gallery.inbox", of, func(a *App) func(context.Context, lettersOf) ([]gallery.Letter, error) { return a.galleryInbox })
			if err != nil || of.Done != "" {
				return err
			}
			printLetters(cmd.OutOrStdout(), l, all)
			return nil
		},
	}
	cmd.Flags().BoolVar(&of.All, "all", false, "show those too that are done with")
	cmd.Flags().StringVar(&of.Done, "done", "", "put the one of this id away")
	return cmd
}

// printLetters prints letters, all of which strangers have written.
func printLetters(w io.Writer, l words.Language, all []gallery.Letter) {
	if len(all) == 0 {
		fmt.Fprintln(w, l.Say(words.GalleryCommandNoLetters, nil))
	}
	for _, letter := range all {
		key := words.GalleryCommandLetter
		if letter.Direct {
			key = words.GalleryCommandLetterDirect
		}
		head := l.Say(key, words.Args{"id": printableLine(letter.ID), "author": printableLine(letter.Author), "time": letter.At.Local().Format(time.DateTime)})
		if !letter.Done.IsZero() {
			head += " " + l.Say(words.GalleryCommandLetterDone, nil)
		}
		fmt.Fprintf(w, "%s\n%s\n    %s\n\n", head, printableLine(letter.URL), strings.ReplaceAll(printable(letter.Words), "\n", "\n    "))
	}
}

// printable takes out of a stranger's text what a terminal would obey, and what
// turns the direction of the text around it.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// printableLine is printable for what has a line, or a part of one, to itself.
func printableLine(text string) string { return strings.Join(strings.Fields(printable(text)), " ") }

func (c *cli) galleryAboutCommand() *cobra.Command {
	var of aboutOf
	cmd := &cobra.Command{
		Use:   "about",
		Short: "Print an About text and a take-down text to publish",
		Long:  "Prints texts to put on the instance that shows the gallery, and into the account's profile: what it is, that\nmembers share their own work and agreed to it, and how to have something removed.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, _, err := do(cmd, c, "gallery.about", of, func(a *App) func(context.Context, aboutOf) (string, error) { return a.galleryAboutAlone })
			if err == nil {
				fmt.Fprint(cmd.OutOrStdout(), text)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&of.Account, "account", "", "name of the account in the configuration, if several show a gallery")
	cmd.Flags().StringVar(&of.Language, "language", "", "en or ru; without it, the account's")
	return cmd
}

func (c *cli) galleryEmojiCommand() *cobra.Command {
	guild, dir := "", ""
	share := false
	cmd := &cobra.Command{
		Use:   "emoji --guild ID --out FOLDER",
		Short: "Save a Discord server's emoji as packs for an instance",
		Long:  "Saves a Discord server's own emoji, the animated ones too, as a pack for Akkoma and Pleroma (a folder with\npack.json) and as an archive for Mastodon (tootctl emoji import).",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if guild == "" || dir == "" {
				return errors.New("say which server and where to: --guild ID --out FOLDER")
			}
			list, l, err := do(cmd, c, "gallery.emoji", emojiOf{community.GuildID(guild)}, func(a *App) func(context.Context, emojiOf) (emojiList, error) { return a.galleryEmoji })
			if err != nil {
				return err
			}
			name := list.Guild
			if name == "" {
				name = guild
			}
			conf := emoji.Config{Dir: dir, Name: name, Share: share,
				Fetch: publicnet.New(publicnet.Options{UserAgent: userAgent(c.version), AllowLoopback: c.loopback, Timeout: 30 * time.Second})}
			for _, e := range list.Emoji {
				conf.Sources = append(conf.Sources, emoji.Source{Name: e.Name, Animated: e.Animated, URL: e.URL})
			}
			result, err := emoji.Export(cmd.Context(), conf)
			if err == nil || errors.Is(err, emoji.ErrNothing) {
				result.Tell(cmd.OutOrStdout(), l)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&guild, "guild", "", "id of the Discord server")
	cmd.Flags().StringVar(&dir, "out", "", "folder to write into; it is made if it is not there")
	cmd.Flags().BoolVar(&share, "share", false, "let other instances download the pack (Akkoma)")
	return cmd
}

func (c *cli) galleryTextsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "texts",
		Short: "Print the texts that can be changed, as a file to change them in",
		Long:  "Prints what artists are asked and told, as a file: take the # off the lines that you change, save it, and\nname it as texts in the section [gallery] of the configuration.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(texts.Default(gallery.TextKeys()))
			return err
		},
	}
}

// importFediverseBot takes over the original of the gallery.
func (c *cli) importFediverseBot() *cobra.Command {
	account := ""
	cmd := &cobra.Command{
		Use:   "fediversebot DB|INI [DB|INI]",
		Short: "Take over the Fediverse Discord bot: its posts, so that they can be deleted, and its settings",
		Long: "Takes over the Python bot that shares art from Discord threads. Which file is which it finds out itself.\n\n" +
			"INI is its configuration: rookery.toml and the files of its tokens are written into the current folder, or into\n" +
			"that which --config names. No file is overwritten.\n\n" +
			"DB is its database: whoever made a post there can then delete it here. Nothing is posted. Stop that bot and\n" +
			"Rookery before. Doing it again changes nothing.",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := importer.ReadFediverseBot(args...)
			if err != nil {
				return err
			}
			file := c.file
			if b.HasSettings() {
				dir, err := c.importDir()
				if err != nil {
					return err
				}
				r, err := b.Write(cmd.Context(), importer.Config{Dir: dir, Out: cmd.OutOrStdout(), Language: systemLanguage()})
				if err != nil || !b.HasPosts() {
					return err
				}
				file = r.Config
			}
			if err := c.takeOverFediverseBot(cmd, b, file, account); err != nil {
				if b.HasSettings() {
					return fmt.Errorf("the configuration is written; for the posts, give the database alone once the tokens are in place: %w", err)
				}
				return err
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "name in the configuration of the account that the bot posted with, if several show a gallery")
	return cmd
}

func (c *cli) takeOverFediverseBot(cmd *cobra.Command, b *importer.FediverseBot, file, account string) error {
	cfg, err := config.Load(file, os.LookupEnv)
	if err != nil {
		return err
	}
	var names []string
	for _, acc := range cfg.Accounts {
		if acc.Doing(config.FeatureGallery) && (account == "" || acc.Name == account) {
			names = append(names, acc.Name)
		}
	}
	switch {
	case len(names) == 0 && account != "":
		return fmt.Errorf("no account %q of %s shows a gallery", account, cfg.File)
	case len(names) == 0:
		return errNoGallery
	case len(names) > 1:
		return errors.New("say with --account which account the bot posted with: one of " + strings.Join(names, ", "))
	}
	return c.open(cmd.Context(), cfg, cmd.ErrOrStderr(), Options{Command: "import fediversebot"}, func(ctx context.Context, app *App) error {
		if err := errors.Join(app.fedi.PollOnce(ctx), app.onDiscord.client.PollOnce(ctx)); err != nil {
			return fmt.Errorf("log in with the tokens of %s, to know whose posts these are: %w", cfg.File, err)
		}
		target := gallery.Account{}
		for _, acc := range app.galleryAccounts() {
			if acc.Name == names[0] {
				target = acc
			}
		}
		us, _ := app.discordAccount()
		_, err := b.TakeOver(ctx, importer.TakeoverPosts{Account: target.Name, Out: cmd.OutOrStdout(), Language: words.Match(cfg.Operator.Language),
			Adopt: func(ctx context.Context, p importer.OldPost) (bool, error) {
				post := gallery.AdoptedPost{Account: us, Target: target.ID, Thread: community.ChannelID(p.Thread), Author: community.MemberID(p.Author), Ack: p.Ack, Post: community.PostID(p.Post)}
				var err error
				if post.Guild, err = guildOf(ctx, app.onDiscord.client.Channel, post.Thread); err != nil {
					return false, err
				}
				return app.gallery.Adopt(ctx, post)
			}})
		return err
	})
}

// guildOf is the guild that a thread of an old post stands in, whose moderators
// may delete the post; none if Discord says that the thread is gone or closed to
// the bot. Any other error is returned: the post would be kept without its guild
// for good, and no moderator would find it.
func guildOf(ctx context.Context, channel func(context.Context, community.ChannelID) (discord.Channel, error), thread community.ChannelID) (community.GuildID, error) {
	if thread == "" {
		return "", nil
	}
	ch, err := channel(ctx, thread)
	switch discord.ClassOf(err) {
	case "", discord.Gone, discord.Forbidden:
		return ch.Guild, nil
	}
	return "", fmt.Errorf("ask Discord whose thread %s is: %w", thread, err)
}
