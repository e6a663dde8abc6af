/* TeX's commands, accents and scripts, and what Unicode has for them. */
#include "tex_sign.h"

#include <string.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct tex_command commands[] = {
	{ "alpha", TEX_SIGN, 0, "\xce\xb1" }, { "beta", TEX_SIGN, 0, "\xce\xb2" },
	{ "gamma", TEX_SIGN, 0, "\xce\xb3" }, { "delta", TEX_SIGN, 0, "\xce\xb4" },
	{ "epsilon", TEX_SIGN, 0, "\xcf\xb5" }, { "zeta", TEX_SIGN, 0, "\xce\xb6" },
	{ "eta", TEX_SIGN, 0, "\xce\xb7" }, { "theta", TEX_SIGN, 0, "\xce\xb8" },
	{ "iota", TEX_SIGN, 0, "\xce\xb9" }, { "kappa", TEX_SIGN, 0, "\xce\xba" },
	{ "lambda", TEX_SIGN, 0, "\xce\xbb" }, { "mu", TEX_SIGN, 0, "\xce\xbc" },
	{ "nu", TEX_SIGN, 0, "\xce\xbd" }, { "xi", TEX_SIGN, 0, "\xce\xbe" },
	{ "omicron", TEX_SIGN, 0, "\xce\xbf" }, { "pi", TEX_SIGN, 0, "\xcf\x80" },
	{ "rho", TEX_SIGN, 0, "\xcf\x81" }, { "sigma", TEX_SIGN, 0, "\xcf\x83" },
	{ "tau", TEX_SIGN, 0, "\xcf\x84" }, { "upsilon", TEX_SIGN, 0, "\xcf\x85" },
	{ "phi", TEX_SIGN, 0, "\xcf\x95" }, { "chi", TEX_SIGN, 0, "\xcf\x87" },
	{ "psi", TEX_SIGN, 0, "\xcf\x88" }, { "omega", TEX_SIGN, 0, "\xcf\x89" },
	{ "varepsilon", TEX_SIGN, 0, "\xce\xb5" }, { "vartheta", TEX_SIGN, 0, "\xcf\x91" },
	{ "varpi", TEX_SIGN, 0, "\xcf\x96" }, { "varrho", TEX_SIGN, 0, "\xcf\xb1" },
	{ "varsigma", TEX_SIGN, 0, "\xcf\x82" }, { "varphi", TEX_SIGN, 0, "\xcf\x86" },
	{ "varkappa", TEX_SIGN, 0, "\xcf\xb0" }, { "Gamma", TEX_SIGN, 0, "\xce\x93" },
	{ "Delta", TEX_SIGN, 0, "\xce\x94" }, { "Theta", TEX_SIGN, 0, "\xce\x98" },
	{ "Lambda", TEX_SIGN, 0, "\xce\x9b" }, { "Xi", TEX_SIGN, 0, "\xce\x9e" },
	{ "Pi", TEX_SIGN, 0, "\xce\xa0" }, { "Sigma", TEX_SIGN, 0, "\xce\xa3" },
	{ "Upsilon", TEX_SIGN, 0, "\xce\xa5" }, { "Phi", TEX_SIGN, 0, "\xce\xa6" },
	{ "Psi", TEX_SIGN, 0, "\xce\xa8" }, { "Omega", TEX_SIGN, 0, "\xce\xa9" },
	{ "infty", TEX_SIGN, 0, "\xe2\x88\x9e" }, { "partial", TEX_SIGN, 0, "\xe2\x88\x82" },
	{ "nabla", TEX_SIGN, 0, "\xe2\x88\x87" }, { "ell", TEX_SIGN, 0, "\xe2\x84\x93" },
	{ "hbar", TEX_SIGN, 0, "\xe2\x84\x8f" }, { "Re", TEX_SIGN, 0, "\xe2\x84\x9c" },
	{ "Im", TEX_SIGN, 0, "\xe2\x84\x91" }, { "aleph", TEX_SIGN, 0, "\xe2\x84\xb5" },
	{ "beth", TEX_SIGN, 0, "\xe2\x84\xb6" }, { "wp", TEX_SIGN, 0, "\xe2\x84\x98" },
	{ "imath", TEX_SIGN, 0, "\xc4\xb1" }, { "jmath", TEX_SIGN, 0, "\xc8\xb7" },
	{ "emptyset", TEX_SIGN, 0, "\xe2\x88\x85" }, { "varnothing", TEX_SIGN, 0, "\xe2\x88\x85" },
	{ "forall", TEX_SIGN, 0, "\xe2\x88\x80" }, { "exists", TEX_SIGN, 0, "\xe2\x88\x83" },
	{ "nexists", TEX_SIGN, 0, "\xe2\x88\x84" }, { "neg", TEX_SIGN, 0, "\xc2\xac" },
	{ "lnot", TEX_SIGN, 0, "\xc2\xac" }, { "top", TEX_SIGN, 0, "\xe2\x8a\xa4" },
	{ "bot", TEX_SIGN, 0, "\xe2\x8a\xa5" }, { "angle", TEX_SIGN, 0, "\xe2\x88\xa0" },
	{ "degree", TEX_SIGN, 0, "\xc2\xb0" }, { "prime", TEX_SIGN, 0, "\xe2\x80\xb2" },
	{ "dagger", TEX_SIGN, 0, "\xe2\x80\xa0" }, { "ddagger", TEX_SIGN, 0, "\xe2\x80\xa1" },
	{ "dag", TEX_SIGN, 0, "\xe2\x80\xa0" }, { "ddag", TEX_SIGN, 0, "\xe2\x80\xa1" },
	{ "star", TEX_SIGN, 0, "\xe2\x8b\x86" }, { "ast", TEX_SIGN, 0, "\xe2\x88\x97" },
	{ "circ", TEX_SIGN, 0, "\xe2\x88\x98" }, { "bullet", TEX_SIGN, 0, "\xe2\x80\xa2" },
	{ "sum", TEX_SIGN, 0, "\xe2\x88\x91" }, { "prod", TEX_SIGN, 0, "\xe2\x88\x8f" },
	{ "coprod", TEX_SIGN, 0, "\xe2\x88\x90" }, { "int", TEX_SIGN, 0, "\xe2\x88\xab" },
	{ "iint", TEX_SIGN, 0, "\xe2\x88\xac" }, { "oint", TEX_SIGN, 0, "\xe2\x88\xae" },
	{ "bigcup", TEX_SIGN, 0, "\xe2\x8b\x83" }, { "bigcap", TEX_SIGN, 0, "\xe2\x8b\x82" },
	{ "bigoplus", TEX_SIGN, 0, "\xe2\xa8\x81" }, { "bigotimes", TEX_SIGN, 0, "\xe2\xa8\x82" },
	{ "ldots", TEX_SIGN, 0, "\xe2\x80\xa6" }, { "dots", TEX_SIGN, 0, "\xe2\x80\xa6" },
	{ "cdots", TEX_SIGN, 0, "\xe2\x8b\xaf" }, { "dotsc", TEX_SIGN, 0, "\xe2\x80\xa6" },
	{ "dotsb", TEX_SIGN, 0, "\xe2\x8b\xaf" }, { "vdots", TEX_SIGN, 0, "\xe2\x8b\xae" },
	{ "ddots", TEX_SIGN, 0, "\xe2\x8b\xb1" }, { "langle", TEX_SIGN, 0, "\xe2\x9f\xa8" },
	{ "rangle", TEX_SIGN, 0, "\xe2\x9f\xa9" }, { "lceil", TEX_SIGN, 0, "\xe2\x8c\x88" },
	{ "rceil", TEX_SIGN, 0, "\xe2\x8c\x89" }, { "lfloor", TEX_SIGN, 0, "\xe2\x8c\x8a" },
	{ "rfloor", TEX_SIGN, 0, "\xe2\x8c\x8b" }, { "vert", TEX_SIGN, 0, "|" },
	{ "Vert", TEX_SIGN, 0, "\xe2\x80\x96" }, { "lvert", TEX_SIGN, 0, "|" },
	{ "rvert", TEX_SIGN, 0, "|" }, { "lVert", TEX_SIGN, 0, "\xe2\x80\x96" },
	{ "rVert", TEX_SIGN, 0, "\xe2\x80\x96" }, { "lbrace", TEX_SIGN, 0, "{" },
	{ "rbrace", TEX_SIGN, 0, "}" }, { "lbrack", TEX_SIGN, 0, "[" },
	{ "rbrack", TEX_SIGN, 0, "]" }, { "backslash", TEX_SIGN, 0, "\\" },
	{ "colon", TEX_SIGN, 0, ": " }, { "square", TEX_SIGN, 0, "\xe2\x96\xa1" },
	{ "Box", TEX_SIGN, 0, "\xe2\x96\xa1" }, { "triangle", TEX_SIGN, 0, "\xe2\x96\xb3" },
	{ "checkmark", TEX_SIGN, 0, "\xe2\x9c\x93" }, { "flat", TEX_SIGN, 0, "\xe2\x99\xad" },
	{ "sharp", TEX_SIGN, 0, "\xe2\x99\xaf" }, { "natural", TEX_SIGN, 0, "\xe2\x99\xae" },
	{ "S", TEX_SIGN, 0, "\xc2\xa7" }, { "P", TEX_SIGN, 0, "\xc2\xb6" },
	{ "copyright", TEX_SIGN, 0, "\xc2\xa9" }, { "pounds", TEX_SIGN, 0, "\xc2\xa3" },
	{ "euro", TEX_SIGN, 0, "\xe2\x82\xac" }, { "textdegree", TEX_SIGN, 0, "\xc2\xb0" },
	{ "degre", TEX_SIGN, 0, "\xc2\xb0" }, { "sun", TEX_SIGN, 0, "\xe2\x98\x89" },
	{ "odot", TEX_SIGN, 0, "\xe2\x8a\x99" }, { "setminus", TEX_SIGN, 0, "\xe2\x88\x96" },
	{ "quad", TEX_SIGN, 0, " " }, { "qquad", TEX_SIGN, 0, " " },
	{ "surd", TEX_SIGN, 0, "\xe2\x88\x9a" }, { "textasciitilde", TEX_SIGN, 0, "~" },
	{ "cdot", TEX_RELATION, 0, "\xc2\xb7" }, { "cdotp", TEX_RELATION, 0, "\xc2\xb7" },
	{ "times", TEX_RELATION, 0, "\xc3\x97" }, { "div", TEX_RELATION, 0, "\xc3\xb7" },
	{ "le", TEX_RELATION, 0, "\xe2\x89\xa4" }, { "leq", TEX_RELATION, 0, "\xe2\x89\xa4" },
	{ "leqslant", TEX_RELATION, 0, "\xe2\xa9\xbd" }, { "ge", TEX_RELATION, 0, "\xe2\x89\xa5" },
	{ "geq", TEX_RELATION, 0, "\xe2\x89\xa5" },
	{ "geqslant", TEX_RELATION, 0, "\xe2\xa9\xbe" }, { "ne", TEX_RELATION, 0, "\xe2\x89\xa0" },
	{ "neq", TEX_RELATION, 0, "\xe2\x89\xa0" }, { "ll", TEX_RELATION, 0, "\xe2\x89\xaa" },
	{ "gg", TEX_RELATION, 0, "\xe2\x89\xab" }, { "approx", TEX_RELATION, 0, "\xe2\x89\x88" },
	{ "sim", TEX_RELATION, 0, "\xe2\x88\xbc" }, { "simeq", TEX_RELATION, 0, "\xe2\x89\x83" },
	{ "cong", TEX_RELATION, 0, "\xe2\x89\x85" }, { "equiv", TEX_RELATION, 0, "\xe2\x89\xa1" },
	{ "propto", TEX_RELATION, 0, "\xe2\x88\x9d" },
	{ "asymp", TEX_RELATION, 0, "\xe2\x89\x8d" }, { "doteq", TEX_RELATION, 0, "\xe2\x89\x90" },
	{ "lesssim", TEX_RELATION, 0, "\xe2\x89\xb2" },
	{ "gtrsim", TEX_RELATION, 0, "\xe2\x89\xb3" }, { "prec", TEX_RELATION, 0, "\xe2\x89\xba" },
	{ "succ", TEX_RELATION, 0, "\xe2\x89\xbb" }, { "preceq", TEX_RELATION, 0, "\xe2\xaa\xaf" },
	{ "succeq", TEX_RELATION, 0, "\xe2\xaa\xb0" },
	{ "subset", TEX_RELATION, 0, "\xe2\x8a\x82" },
	{ "subseteq", TEX_RELATION, 0, "\xe2\x8a\x86" },
	{ "subsetneq", TEX_RELATION, 0, "\xe2\x8a\x8a" },
	{ "supset", TEX_RELATION, 0, "\xe2\x8a\x83" },
	{ "supseteq", TEX_RELATION, 0, "\xe2\x8a\x87" },
	{ "notin", TEX_RELATION, 0, "\xe2\x88\x89" }, { "ni", TEX_RELATION, 0, "\xe2\x88\x8b" },
	{ "mid", TEX_RELATION, 0, "\xe2\x88\xa3" },
	{ "parallel", TEX_RELATION, 0, "\xe2\x88\xa5" },
	{ "perp", TEX_RELATION, 0, "\xe2\x8a\xa5" }, { "to", TEX_RELATION, 0, "\xe2\x86\x92" },
	{ "rightarrow", TEX_RELATION, 0, "\xe2\x86\x92" },
	{ "leftarrow", TEX_RELATION, 0, "\xe2\x86\x90" },
	{ "gets", TEX_RELATION, 0, "\xe2\x86\x90" },
	{ "leftrightarrow", TEX_RELATION, 0, "\xe2\x86\x94" },
	{ "Rightarrow", TEX_RELATION, 0, "\xe2\x87\x92" },
	{ "Leftarrow", TEX_RELATION, 0, "\xe2\x87\x90" },
	{ "Leftrightarrow", TEX_RELATION, 0, "\xe2\x87\x94" },
	{ "implies", TEX_RELATION, 0, "\xe2\x9f\xb9" }, { "iff", TEX_RELATION, 0, "\xe2\x9f\xba" },
	{ "longrightarrow", TEX_RELATION, 0, "\xe2\x9f\xb6" },
	{ "longleftarrow", TEX_RELATION, 0, "\xe2\x9f\xb5" },
	{ "mapsto", TEX_RELATION, 0, "\xe2\x86\xa6" },
	{ "hookrightarrow", TEX_RELATION, 0, "\xe2\x86\xaa" },
	{ "rightsquigarrow", TEX_RELATION, 0, "\xe2\x87\x9d" },
	{ "uparrow", TEX_RELATION, 0, "\xe2\x86\x91" },
	{ "downarrow", TEX_RELATION, 0, "\xe2\x86\x93" },
	{ "models", TEX_RELATION, 0, "\xe2\x8a\xa8" },
	{ "vdash", TEX_RELATION, 0, "\xe2\x8a\xa2" }, { "vDash", TEX_RELATION, 0, "\xe2\x8a\xa8" },
	{ "pm", TEX_RELATION, 0, "\xc2\xb1" }, { "mp", TEX_RELATION, 0, "\xe2\x88\x93" },
	{ "cup", TEX_RELATION, 0, "\xe2\x88\xaa" }, { "cap", TEX_RELATION, 0, "\xe2\x88\xa9" },
	{ "oplus", TEX_RELATION, 0, "\xe2\x8a\x95" },
	{ "ominus", TEX_RELATION, 0, "\xe2\x8a\x96" },
	{ "otimes", TEX_RELATION, 0, "\xe2\x8a\x97" },
	{ "wedge", TEX_RELATION, 0, "\xe2\x88\xa7" }, { "land", TEX_RELATION, 0, "\xe2\x88\xa7" },
	{ "vee", TEX_RELATION, 0, "\xe2\x88\xa8" }, { "lor", TEX_RELATION, 0, "\xe2\x88\xa8" },
	{ "sqcup", TEX_RELATION, 0, "\xe2\x8a\x94" }, { "sqcap", TEX_RELATION, 0, "\xe2\x8a\x93" },
	{ "uplus", TEX_RELATION, 0, "\xe2\x8a\x8e" },
	{ "ltimes", TEX_RELATION, 0, "\xe2\x8b\x89" },
	{ "rtimes", TEX_RELATION, 0, "\xe2\x8b\x8a" },
	{ "bowtie", TEX_RELATION, 0, "\xe2\x8b\x88" }, { "in", TEX_RELATION, 0, "\xe2\x88\x88" },
	{ "ss", TEX_LETTER, 0, "\xc3\x9f" }, { "o", TEX_LETTER, 0, "\xc3\xb8" },
	{ "O", TEX_LETTER, 0, "\xc3\x98" }, { "aa", TEX_LETTER, 0, "\xc3\xa5" },
	{ "AA", TEX_LETTER, 0, "\xc3\x85" }, { "ae", TEX_LETTER, 0, "\xc3\xa6" },
	{ "AE", TEX_LETTER, 0, "\xc3\x86" }, { "oe", TEX_LETTER, 0, "\xc5\x93" },
	{ "OE", TEX_LETTER, 0, "\xc5\x92" }, { "l", TEX_LETTER, 0, "\xc5\x82" },
	{ "L", TEX_LETTER, 0, "\xc5\x81" }, { "i", TEX_LETTER, 0, "\xc4\xb1" },
	{ "j", TEX_LETTER, 0, "\xc8\xb7" }, { "dh", TEX_LETTER, 0, "\xc3\xb0" },
	{ "DH", TEX_LETTER, 0, "\xc3\x90" }, { "th", TEX_LETTER, 0, "\xc3\xbe" },
	{ "TH", TEX_LETTER, 0, "\xc3\x9e" }, { "dj", TEX_LETTER, 0, "\xc4\x91" },
	{ "DJ", TEX_LETTER, 0, "\xc4\x90" }, { "ng", TEX_LETTER, 0, "\xc5\x8b" },
	{ "NG", TEX_LETTER, 0, "\xc5\x8a" }, { "SS", TEX_LETTER, 0, "\xe1\xba\x9e" },
	{ "hat", TEX_ACCENT, 0, "\xcc\x82" }, { "widehat", TEX_ACCENT, 0, "\xcc\x82" },
	{ "tilde", TEX_ACCENT, 0, "\xcc\x83" }, { "widetilde", TEX_ACCENT, 0, "\xcc\x83" },
	{ "dot", TEX_ACCENT, 0, "\xcc\x87" }, { "ddot", TEX_ACCENT, 0, "\xcc\x88" },
	{ "acute", TEX_ACCENT, 0, "\xcc\x81" }, { "grave", TEX_ACCENT, 0, "\xcc\x80" },
	{ "check", TEX_ACCENT, 0, "\xcc\x8c" }, { "breve", TEX_ACCENT, 0, "\xcc\x86" },
	{ "vec", TEX_ACCENT, 0, "\xe2\x83\x97" }, { "mathring", TEX_ACCENT, 0, "\xcc\x8a" },
	{ "bar", TEX_LINE, 0, "\xcc\x84" }, { "overline", TEX_LINE, 0, "\xcc\x85" },
	{ "underline", TEX_LINE, 0, "\xcc\xb2" }, { "log", TEX_NAME, 0, "log" },
	{ "ln", TEX_NAME, 0, "ln" }, { "exp", TEX_NAME, 0, "exp" }, { "sin", TEX_NAME, 0, "sin" },
	{ "cos", TEX_NAME, 0, "cos" }, { "tan", TEX_NAME, 0, "tan" },
	{ "cot", TEX_NAME, 0, "cot" }, { "sec", TEX_NAME, 0, "sec" },
	{ "csc", TEX_NAME, 0, "csc" }, { "sinh", TEX_NAME, 0, "sinh" },
	{ "cosh", TEX_NAME, 0, "cosh" }, { "tanh", TEX_NAME, 0, "tanh" },
	{ "arcsin", TEX_NAME, 0, "arcsin" }, { "arccos", TEX_NAME, 0, "arccos" },
	{ "arctan", TEX_NAME, 0, "arctan" }, { "max", TEX_NAME, 0, "max" },
	{ "min", TEX_NAME, 0, "min" }, { "sup", TEX_NAME, 0, "sup" },
	{ "inf", TEX_NAME, 0, "inf" }, { "lim", TEX_NAME, 0, "lim" },
	{ "limsup", TEX_NAME, 0, "limsup" }, { "liminf", TEX_NAME, 0, "liminf" },
	{ "det", TEX_NAME, 0, "det" }, { "dim", TEX_NAME, 0, "dim" },
	{ "ker", TEX_NAME, 0, "ker" }, { "deg", TEX_NAME, 0, "deg" },
	{ "gcd", TEX_NAME, 0, "gcd" }, { "arg", TEX_NAME, 0, "arg" },
	{ "mod", TEX_NAME, 0, "mod" }, { "Pr", TEX_NAME, 0, "Pr" }, { "hom", TEX_NAME, 0, "hom" },
	{ "left", TEX_NOTHING, 0, NULL }, { "right", TEX_NOTHING, 0, NULL },
	{ "big", TEX_NOTHING, 0, NULL }, { "Big", TEX_NOTHING, 0, NULL },
	{ "bigg", TEX_NOTHING, 0, NULL }, { "Bigg", TEX_NOTHING, 0, NULL },
	{ "bigl", TEX_NOTHING, 0, NULL }, { "bigr", TEX_NOTHING, 0, NULL },
	{ "Bigl", TEX_NOTHING, 0, NULL }, { "Bigr", TEX_NOTHING, 0, NULL },
	{ "biggl", TEX_NOTHING, 0, NULL }, { "biggr", TEX_NOTHING, 0, NULL },
	{ "middle", TEX_NOTHING, 0, NULL }, { "displaystyle", TEX_NOTHING, 0, NULL },
	{ "textstyle", TEX_NOTHING, 0, NULL }, { "scriptstyle", TEX_NOTHING, 0, NULL },
	{ "limits", TEX_NOTHING, 0, NULL }, { "nolimits", TEX_NOTHING, 0, NULL },
	{ "rm", TEX_NOTHING, 0, NULL }, { "bf", TEX_NOTHING, 0, NULL },
	{ "it", TEX_NOTHING, 0, NULL }, { "cal", TEX_NOTHING, 0, NULL },
	{ "boldmath", TEX_NOTHING, 0, NULL }, { "nonumber", TEX_NOTHING, 0, NULL },
	{ "protect", TEX_NOTHING, 0, NULL }, { "relax", TEX_NOTHING, 0, NULL },
	{ "mathrm", TEX_PLAIN, 0, NULL }, { "mathbf", TEX_PLAIN, 0, NULL },
	{ "mathit", TEX_PLAIN, 0, NULL }, { "mathsf", TEX_PLAIN, 0, NULL },
	{ "mathtt", TEX_PLAIN, 0, NULL }, { "boldsymbol", TEX_PLAIN, 0, NULL },
	{ "bm", TEX_PLAIN, 0, NULL }, { "pmb", TEX_PLAIN, 0, NULL },
	{ "operatorname", TEX_PLAIN, 0, NULL }, { "mathop", TEX_PLAIN, 0, NULL },
	{ "mathbin", TEX_PLAIN, 0, NULL }, { "mathrel", TEX_PLAIN, 0, NULL },
	{ "ensuremath", TEX_PLAIN, 0, NULL }, { "mathnormal", TEX_PLAIN, 0, NULL },
	{ "text", TEX_WORDS, 0, NULL }, { "textrm", TEX_WORDS, 0, NULL },
	{ "textit", TEX_WORDS, 0, NULL }, { "textbf", TEX_WORDS, 0, NULL },
	{ "textsf", TEX_WORDS, 0, NULL }, { "texttt", TEX_WORDS, 0, NULL },
	{ "textsc", TEX_WORDS, 0, NULL }, { "textsl", TEX_WORDS, 0, NULL },
	{ "textup", TEX_WORDS, 0, NULL }, { "textnormal", TEX_WORDS, 0, NULL },
	{ "emph", TEX_WORDS, 0, NULL }, { "mbox", TEX_WORDS, 0, NULL },
	{ "hbox", TEX_WORDS, 0, NULL }, { "mathbb", TEX_FONT, TEX_BOARD, NULL },
	{ "mathds", TEX_FONT, TEX_BOARD, NULL }, { "mathcal", TEX_FONT, TEX_SCRIPT, NULL },
	{ "mathscr", TEX_FONT, TEX_SCRIPT, NULL }, { "mathfrak", TEX_FONT, TEX_FRAKTUR, NULL },
	{ "not", TEX_NOT, 0, "\xcc\xb8" }, { "sqrt", TEX_ROOT, 0, NULL },
	{ "frac", TEX_FRACTION, 0, NULL }, { "dfrac", TEX_FRACTION, 0, NULL },
	{ "tfrac", TEX_FRACTION, 0, NULL }, { "nicefrac", TEX_FRACTION, 0, NULL },
	{ "sfrac", TEX_FRACTION, 0, NULL }, { ",", TEX_SIGN, 0, " " }, { ";", TEX_SIGN, 0, " " },
	{ ":", TEX_SIGN, 0, " " }, { "!", TEX_SIGN, 0, "" }, { " ", TEX_SIGN, 0, " " },
	{ "/", TEX_SIGN, 0, "" }, { "%", TEX_SIGN, 0, "%" }, { "#", TEX_SIGN, 0, "#" },
	{ "&", TEX_SIGN, 0, "&" }, { "_", TEX_SIGN, 0, "_" }, { "$", TEX_SIGN, 0, "$" },
	{ "{", TEX_SIGN, 0, "{" }, { "}", TEX_SIGN, 0, "}" }, { "|", TEX_SIGN, 0, "\xe2\x80\x96" },
	{ "-", TEX_SIGN, 0, "" },
};

const struct tex_command *
tex_command(const char *name, size_t len)
{
	for (size_t i = 0; len > 0 && i < COUNT(commands); i++)
		if (commands[i].name[0] == name[0] && strncmp(commands[i].name, name, len) == 0 &&
		    commands[i].name[len] == '\0')
			return &commands[i];
	return NULL;
}

/* ---- Accents ---- */

/* Of each accent the letters, each before its form with the accent. */
static const struct { char accent; const char *letters; } accents[] = {
	{ '`', "A\xc3\x80" "E\xc3\x88I\xc3\x8cO\xc3\x92U\xc3\x99" "a\xc3\xa0" "e\xc3\xa8"
	    "i\xc3\xaco\xc3\xb2u\xc3\xb9N\xc7\xb8n\xc7\xb9W\xe1\xba\x80w\xe1\xba\x81"
	    "Y\xe1\xbb\xb2y\xe1\xbb\xb3" },
	{ '\'', "A\xc3\x81" "E\xc3\x89I\xc3\x8dO\xc3\x93U\xc3\x9aY\xc3\x9d" "a\xc3\xa1"
	    "e\xc3\xa9i\xc3\xado\xc3\xb3u\xc3\xbay\xc3\xbd" "C\xc4\x86" "c\xc4\x87"
	    "L\xc4\xb9l\xc4\xbaN\xc5\x83n\xc5\x84R\xc5\x94r\xc5\x95S\xc5\x9as\xc5\x9b"
	    "Z\xc5\xb9z\xc5\xbaG\xc7\xb4g\xc7\xb5K\xe1\xb8\xb0k\xe1\xb8\xb1M\xe1\xb8\xbe"
	    "m\xe1\xb8\xbfP\xe1\xb9\x94p\xe1\xb9\x95" },
	{ '^', "A\xc3\x82" "E\xc3\x8aI\xc3\x8eO\xc3\x94U\xc3\x9b" "a\xc3\xa2" "e\xc3\xaa"
	    "i\xc3\xaeo\xc3\xb4u\xc3\xbb" "C\xc4\x88" "c\xc4\x89G\xc4\x9cg\xc4\x9d"
	    "H\xc4\xa4h\xc4\xa5J\xc4\xb4j\xc4\xb5S\xc5\x9cs\xc5\x9dW\xc5\xb4w\xc5\xb5"
	    "Y\xc5\xb6y\xc5\xb7Z\xe1\xba\x90z\xe1\xba\x91" },
	{ '"', "A\xc3\x84" "E\xc3\x8bI\xc3\x8fO\xc3\x96U\xc3\x9cY\xc5\xb8" "a\xc3\xa4"
	    "e\xc3\xabi\xc3\xafo\xc3\xb6u\xc3\xbcy\xc3\xbf" },
	{ '~', "A\xc3\x83N\xc3\x91O\xc3\x95" "a\xc3\xa3n\xc3\xb1o\xc3\xb5I\xc4\xa8i\xc4\xa9"
	    "U\xc5\xa8u\xc5\xa9" "E\xe1\xba\xbc" "e\xe1\xba\xbdY\xe1\xbb\xb8y\xe1\xbb\xb9"
	    "V\xe1\xb9\xbcv\xe1\xb9\xbd" },
	{ '=', "A\xc4\x80" "E\xc4\x92I\xc4\xaaO\xc5\x8cU\xc5\xaaY\xc8\xb2" "a\xc4\x81"
	    "e\xc4\x93i\xc4\xabo\xc5\x8du\xc5\xaby\xc8\xb3" },
	{ '.', "C\xc4\x8a" "c\xc4\x8b" "E\xc4\x96" "e\xc4\x97G\xc4\xa0g\xc4\xa1I\xc4\xb0"
	    "Z\xc5\xbbz\xc5\xbc" "B\xe1\xb8\x82" "b\xe1\xb8\x83" "D\xe1\xb8\x8a"
	    "d\xe1\xb8\x8bM\xe1\xb9\x80m\xe1\xb9\x81N\xe1\xb9\x84n\xe1\xb9\x85"
	    "X\xe1\xba\x8ax\xe1\xba\x8bY\xe1\xba\x8ey\xe1\xba\x8f" },
	{ 'u', "A\xc4\x82" "a\xc4\x83" "E\xc4\x94" "e\xc4\x95G\xc4\x9eg\xc4\x9fI\xc4\xac"
	    "i\xc4\xadO\xc5\x8eo\xc5\x8fU\xc5\xacu\xc5\xad" },
	{ 'v', "C\xc4\x8c" "c\xc4\x8d" "D\xc4\x8e" "d\xc4\x8f" "E\xc4\x9a" "e\xc4\x9b"
	    "L\xc4\xbdl\xc4\xbeN\xc5\x87n\xc5\x88R\xc5\x98r\xc5\x99S\xc5\xa0s\xc5\xa1"
	    "T\xc5\xa4t\xc5\xa5Z\xc5\xbdz\xc5\xbe" "A\xc7\x8d" "a\xc7\x8eG\xc7\xa6"
	    "g\xc7\xa7I\xc7\x8fi\xc7\x90O\xc7\x91o\xc7\x92U\xc7\x93u\xc7\x94" },
	{ 'H', "O\xc5\x90o\xc5\x91U\xc5\xb0u\xc5\xb1" },
	{ 'c', "C\xc3\x87" "c\xc3\xa7S\xc5\x9es\xc5\x9fT\xc5\xa2t\xc5\xa3G\xc4\xa2K\xc4\xb6"
	    "k\xc4\xb7L\xc4\xbbl\xc4\xbcN\xc5\x85n\xc5\x86R\xc5\x96r\xc5\x97" "E\xc8\xa8"
	    "e\xc8\xa9" },
	{ 'k', "A\xc4\x84" "a\xc4\x85" "E\xc4\x98" "e\xc4\x99I\xc4\xaei\xc4\xafU\xc5\xb2"
	    "u\xc5\xb3O\xc7\xaao\xc7\xab" },
	{ 'r', "A\xc3\x85" "a\xc3\xa5U\xc5\xaeu\xc5\xaf" },
	{ 'd', "A\xe1\xba\xa0" "a\xe1\xba\xa1" "E\xe1\xba\xb8" "e\xe1\xba\xb9I\xe1\xbb\x8a"
	    "i\xe1\xbb\x8bO\xe1\xbb\x8co\xe1\xbb\x8dU\xe1\xbb\xa4u\xe1\xbb\xa5"
	    "Y\xe1\xbb\xb4y\xe1\xbb\xb5H\xe1\xb8\xa4h\xe1\xb8\xa5S\xe1\xb9\xa2"
	    "s\xe1\xb9\xa3T\xe1\xb9\xact\xe1\xb9\xad" "D\xe1\xb8\x8c" "d\xe1\xb8\x8d"
	    "N\xe1\xb9\x86n\xe1\xb9\x87R\xe1\xb9\x9ar\xe1\xb9\x9bZ\xe1\xba\x92"
	    "z\xe1\xba\x93" },
};

/* Bytes of a character in UTF-8. */
static size_t
wide(const char *s)
{
	unsigned char c = (unsigned char)*s;

	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

const char *
tex_accented(char accent, char letter, size_t *len)
{
	const char *s;

	for (size_t i = 0; i < COUNT(accents); i++)
		if (accents[i].accent == accent)
			for (s = accents[i].letters; *s != '\0'; s += 1 + wide(s + 1))
				if (*s == letter) {
					*len = wide(s + 1);
					return s + 1;
				}
	return NULL;
}

/* ---- Alphabets ---- */

/* Letters that stand elsewhere than in their alphabet's row of Unicode. */
static const struct { unsigned char font, letter; uint32_t is; } exceptions[] = {
	{ TEX_BOARD, 'C', 0x2102 }, { TEX_BOARD, 'H', 0x210d }, { TEX_BOARD, 'N', 0x2115 },
	{ TEX_BOARD, 'P', 0x2119 }, { TEX_BOARD, 'Q', 0x211a }, { TEX_BOARD, 'R', 0x211d },
	{ TEX_BOARD, 'Z', 0x2124 }, { TEX_SCRIPT, 'B', 0x212c }, { TEX_SCRIPT, 'E', 0x2130 },
	{ TEX_SCRIPT, 'F', 0x2131 }, { TEX_SCRIPT, 'H', 0x210b }, { TEX_SCRIPT, 'I', 0x2110 },
	{ TEX_SCRIPT, 'L', 0x2112 }, { TEX_SCRIPT, 'M', 0x2133 }, { TEX_SCRIPT, 'R', 0x211b },
	{ TEX_SCRIPT, 'e', 0x212f }, { TEX_SCRIPT, 'g', 0x210a }, { TEX_SCRIPT, 'o', 0x2134 },
	{ TEX_FRAKTUR, 'C', 0x212d }, { TEX_FRAKTUR, 'H', 0x210c }, { TEX_FRAKTUR, 'I', 0x2111 },
	{ TEX_FRAKTUR, 'R', 0x211c }, { TEX_FRAKTUR, 'Z', 0x2128 },
};

uint32_t
tex_font(enum tex_font font, uint32_t c)
{
	static const uint32_t capital[] = { 0, 0x1d538, 0x1d49c, 0x1d504 };
	static const uint32_t small[] = { 0, 0x1d552, 0x1d4b6, 0x1d51e };

	if (font == TEX_UPRIGHT)
		return c;
	for (size_t i = 0; i < COUNT(exceptions); i++)
		if (exceptions[i].font == font && exceptions[i].letter == c)
			return exceptions[i].is;
	if (c >= '0' && c <= '9' && font == TEX_BOARD)
		return 0x1d7d8 + c - '0';
	return c >= 'A' && c <= 'Z' ? capital[font] + c - 'A' :
	    c >= 'a' && c <= 'z' ? small[font] + c - 'a' : c;
}

/* ---- Scripts ---- */

struct script { uint32_t from, to; };
static const struct script superscripts[] = {
	{ 0x30, 0x2070 }, { 0x31, 0xb9 }, { 0x32, 0xb2 }, { 0x33, 0xb3 }, { 0x34, 0x2074 },
	{ 0x35, 0x2075 }, { 0x36, 0x2076 }, { 0x37, 0x2077 }, { 0x38, 0x2078 }, { 0x39, 0x2079 },
	{ 0x2b, 0x207a }, { 0x2d, 0x207b }, { 0x3d, 0x207c }, { 0x28, 0x207d }, { 0x29, 0x207e },
	{ 0x6e, 0x207f }, { 0x69, 0x2071 }, { 0x61, 0x1d43 }, { 0x62, 0x1d47 }, { 0x63, 0x1d9c },
	{ 0x64, 0x1d48 }, { 0x65, 0x1d49 }, { 0x66, 0x1da0 }, { 0x67, 0x1d4d }, { 0x68, 0x2b0 },
	{ 0x6a, 0x2b2 }, { 0x6b, 0x1d4f }, { 0x6c, 0x2e1 }, { 0x6d, 0x1d50 }, { 0x6f, 0x1d52 },
	{ 0x70, 0x1d56 }, { 0x72, 0x2b3 }, { 0x73, 0x2e2 }, { 0x74, 0x1d57 }, { 0x75, 0x1d58 },
	{ 0x76, 0x1d5b }, { 0x77, 0x2b7 }, { 0x78, 0x2e3 }, { 0x79, 0x2b8 }, { 0x7a, 0x1dbb },
	{ 0x41, 0x1d2c }, { 0x42, 0x1d2e }, { 0x44, 0x1d30 }, { 0x45, 0x1d31 }, { 0x47, 0x1d33 },
	{ 0x48, 0x1d34 }, { 0x49, 0x1d35 }, { 0x4a, 0x1d36 }, { 0x4b, 0x1d37 }, { 0x4c, 0x1d38 },
	{ 0x4d, 0x1d39 }, { 0x4e, 0x1d3a }, { 0x4f, 0x1d3c }, { 0x50, 0x1d3e }, { 0x52, 0x1d3f },
	{ 0x54, 0x1d40 }, { 0x55, 0x1d41 }, { 0x56, 0x2c7d }, { 0x57, 0x1d42 }, { 0x2212, 0x207b },
	{ 0x2218, 0xb0 }, { 0x2032, 0x2032 }, { 0x2a, 0x2a }, { 0x2020, 0x2020 },
	{ 0x2021, 0x2021 }, { 0xb0, 0xb0 }, { 0x3b1, 0x1d45 }, { 0x3b2, 0x1d5d },
	{ 0x3b3, 0x1d5e }, { 0x3b4, 0x1d5f }, { 0x3b5, 0x1d4b }, { 0x3b8, 0x1dbf },
	{ 0x3c6, 0x1d60 }, { 0x3d5, 0x1d60 }, { 0x3c7, 0x1d61 },
};
static const struct script subscripts[] = {
	{ 0x30, 0x2080 }, { 0x31, 0x2081 }, { 0x32, 0x2082 }, { 0x33, 0x2083 }, { 0x34, 0x2084 },
	{ 0x35, 0x2085 }, { 0x36, 0x2086 }, { 0x37, 0x2087 }, { 0x38, 0x2088 }, { 0x39, 0x2089 },
	{ 0x2b, 0x208a }, { 0x2d, 0x208b }, { 0x3d, 0x208c }, { 0x28, 0x208d }, { 0x29, 0x208e },
	{ 0x61, 0x2090 }, { 0x65, 0x2091 }, { 0x68, 0x2095 }, { 0x69, 0x1d62 }, { 0x6a, 0x2c7c },
	{ 0x6b, 0x2096 }, { 0x6c, 0x2097 }, { 0x6d, 0x2098 }, { 0x6e, 0x2099 }, { 0x6f, 0x2092 },
	{ 0x70, 0x209a }, { 0x72, 0x1d63 }, { 0x73, 0x209b }, { 0x74, 0x209c }, { 0x75, 0x1d64 },
	{ 0x76, 0x1d65 }, { 0x78, 0x2093 }, { 0x2212, 0x208b }, { 0x3b2, 0x1d66 },
	{ 0x3b3, 0x1d67 }, { 0x3c1, 0x1d68 }, { 0x3c6, 0x1d69 }, { 0x3d5, 0x1d69 },
	{ 0x3c7, 0x1d6a },
};

uint32_t
tex_script(uint32_t c, int up)
{
	const struct script *of = up ? superscripts : subscripts;
	size_t n = up ? COUNT(superscripts) : COUNT(subscripts);

	for (size_t i = 0; i < n; i++)
		if (of[i].from == c)
			return of[i].to;
	return 0;
}
