package config

import (
	"strings"
	"time"
)

// FeatureGallery is the name in an account's "does" of the feature through
// which members share from Discord what they made.
const FeatureGallery = "gallery"

// The values of Account.AI: whether a member may have pictures described by a
// model.
const (
	AIAsk   = "ask"   // for each post anew, and only after a yes
	AINever = "never" // there is no such button
)

// Gallery is how what members share is posted.
type Gallery struct {
	ExpireAfter time.Duration // an offer that nobody has answered goes away
	Prompt      string        // what the model is told about describing pictures; empty: the words that ship
	MaxTokens   int           // of one description
	Texts       string        // file of the operator's own texts; empty: none
	Terms       string        // address of the terms; empty: none
	Privacy     string        // address of what is said of privacy; empty: none
	Vision      Vision

	// VisionSection is the section that Vision comes from, for messages:
	// "gallery.vision" if there is one, also where it leaves things to [llm],
	// else "llm".
	VisionSection string

	textsLine int // where Texts is named
}

// Vision is the model that describes pictures. Without a Model there is none,
// and nobody is offered descriptions.
type Vision struct {
	BaseURL string // without a slash at the end
	Model   string
	APIKey  Secret        // not set: no key is sent
	Timeout time.Duration // of one answer
	Named   string        // who runs the model, in the operator's words; empty: see Processor
}

// Vision is the model that describes pictures: that of [gallery.vision], with
// what is left out there taken from [llm].
func (c *Config) Vision() Vision { return c.Gallery.Vision }

// Processor is who gets the pictures, as members are told before they agree:
// what the operator says, else the name and country of who runs the endpoint's
// host if that is well known, else the host itself. It is empty if that is this
// machine or its own network, and if there is no model.
func (v Vision) Processor() string {
	host := hostOf(v.BaseURL)
	switch {
	case v.Model == "":
		return ""
	case v.Named != "":
		return v.Named
	case nearby(host):
		return ""
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, p := range processors() {
		if host == p.domain || strings.HasSuffix(host, "."+p.domain) {
			return p.name
		}
	}
	return host
}

// processor is who answers at a domain and the hosts below it.
type processor struct{ domain, name string }

// processors are services that are widely used, by domains that are theirs
// alone: where others can put up a server too, as below amazonaws.com, a name
// would say more than is known. The country is that of the company.
func processors() []processor {
	return []processor{
		{"openai.com", "OpenAI (USA)"},
		{"openai.azure.com", "Microsoft (USA)"},
		{"services.ai.azure.com", "Microsoft (USA)"},
		{"cognitiveservices.azure.com", "Microsoft (USA)"},
		{"models.github.ai", "GitHub (USA)"},
		{"mistral.ai", "Mistral (France)"},
		{"anthropic.com", "Anthropic (USA)"},
		{"generativelanguage.googleapis.com", "Google (USA)"},
		{"aiplatform.googleapis.com", "Google (USA)"},
		{"openrouter.ai", "OpenRouter (USA)"},
		{"groq.com", "Groq (USA)"},
		{"x.ai", "xAI (USA)"},
		{"together.xyz", "Together AI (USA)"},
		{"together.ai", "Together AI (USA)"},
		{"fireworks.ai", "Fireworks AI (USA)"},
		{"deepinfra.com", "DeepInfra (USA)"},
		{"cerebras.ai", "Cerebras (USA)"},
		{"sambanova.ai", "SambaNova (USA)"},
		{"perplexity.ai", "Perplexity (USA)"},
		{"integrate.api.nvidia.com", "NVIDIA (USA)"},
		{"router.huggingface.co", "Hugging Face (USA)"},
		{"api-inference.huggingface.co", "Hugging Face (USA)"},
		{"api.cloudflare.com", "Cloudflare (USA)"},
		{"gateway.ai.cloudflare.com", "Cloudflare (USA)"},
		{"ollama.com", "Ollama (USA)"},
		{"cohere.ai", "Cohere (Canada)"},
		{"cohere.com", "Cohere (Canada)"},
		{"api.scaleway.ai", "Scaleway (France)"},
		{"endpoints.kepler.ai.cloud.ovh.net", "OVHcloud (France)"},
		{"api.infomaniak.com", "Infomaniak (Switzerland)"},
		{"nebius.ai", "Nebius (Netherlands)"},
		{"nebius.com", "Nebius (Netherlands)"},
		{"deepseek.com", "DeepSeek (China)"},
		{"dashscope.aliyuncs.com", "Alibaba Cloud (China)"},
		{"dashscope-intl.aliyuncs.com", "Alibaba Cloud (China)"},
		{"moonshot.ai", "Moonshot AI (China)"},
		{"moonshot.cn", "Moonshot AI (China)"},
	}
}
