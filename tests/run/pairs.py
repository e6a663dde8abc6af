"""Made-up articles, what becomes of them on their way through other sites, and articles that look alike
and are not. All is drawn from one seed.

positives(rng, kinds, n)   pairs of records that tell one story, by the kind of change
negatives(rng, n)          pairs that tell two, by the kind of likeness
newspapers(rng)            the columns and series of three newspapers: no two entries are one story
TUNED, HELD                kinds of change that the rule was tuned for, and those that it was not"""
import html

SUBJECTS = """harbour bridge library reservoir tramline orchard quarry museum lighthouse brewery observatory
aqueduct ferry greenhouse hospital stadium bakery windmill archive cannery railway market theatre foundry vineyard
nursery shipyard cathedral canal airfield laboratory fishery school substation glacier wetland forest dam""".split()
ASPECTS = """funding roof timetable budget inspection licence extension closure repair insurance drainage staffing
heating contract foundation ownership survey lease lighting restoration noise parking catering excavation fence
archive membership ventilation irrigation signage electricity merger""".split()
QUALITIES = """cautious steep hollow brittle narrow reluctant generous tangled patient quiet bitter sturdy faded clumsy
precise restless ancient costly modest fragile noisy damp temporary private regional uneven ambitious delicate gloomy
stubborn hasty durable obscure plain rigid sluggish tidy vivid wary""".split()
ACTS = """approves rejects delays reopens questions doubles audits defends abandons rebuilds inspects expands sells
inherits suspends restores postpones investigates praises renames borrows cancels welcomes measures shelters""".split()
PAST = """approved rejected delayed reopened questioned doubled audited defended abandoned rebuilt inspected expanded sold
inherited suspended restored postponed investigated praised renamed borrowed cancelled welcomed measured sheltered
weighed copied traced polished buried counted dissolved translated calibrated mapped harvested""".split()
THINGS = """ledger crane turbine petition blueprint valve lantern barge syllabus catalogue antenna compass ladder kiln
telescope pamphlet furnace tunnel mosaic chimney pendulum battery gearbox sculpture manuscript pipeline fountain
barometer scaffold staircase violin parachute tractor archive carpet elevator mirror wagon beacon filter""".split()
PEOPLE = """engineers neighbours historians divers pupils botanists surveyors volunteers carpenters nurses accountants
sailors geologists teachers tenants cyclists farmers lawyers musicians chemists plumbers pilots editors bakers
apprentices archivists inspectors shepherds translators beekeepers""".split()
FIELDS = """graph sparse causal temporal federated spectral bilingual stochastic hierarchical robust bayesian contrastive
modular symbolic neural adaptive visual acoustic geometric relational""".split()
OBJECTS = """retrieval segmentation parsing planning denoising alignment scheduling compression translation routing
forecasting clustering ranking tracking summarisation sampling localisation annotation verification matching""".split()
METHODS = """transformers kernels embeddings priors grammars ensembles diffusion distillation attention prompts
automata wavelets surrogates curricula adapters bandits hashing pruning quantisation memories""".split()
SYLLABLES = "bar bel cor dan el fen gar hol is jor kel lan mor nor ost pel quin ros sal tor ul ven wes yar zel".split()
ENDS = "ford mouth stead by wick holm dale bury port haven field minster".split()

SENTENCES = [
    "The {q} {th} near the {s} of {pl} was {pa} by {pe} in the presence of {name}.",
    "{name}, who speaks for the {pe}, called the {asp} a {q} answer to a {q2} question.",
    "Nobody had {pa} the {th} since the {pe} left the {s2} and took the {th2} with them.",
    "According to {name2}, the {asp} costs less than the {q} {th} that {pl} {pa} last time.",
    "{Pe} had warned that a {q} {th} would sooner or later harm the {s}.",
    "Documents seen by {pe2} show how the {asp} was {pa}, {pa2} and finally {pa3}.",
    "The council of {pl2} keeps a {q} {th} for such cases, though {pe} rarely use it.",
    "{name} said the {s} deserves a {q} {th}, not another {q2} {th2}.",
    "A {q} crowd of {pe} watched while the {th} was {pa} beside the {s2}.",
    "Critics answer that the {asp} was {pa} behind a {q} {th} without asking the {pe}.",
    "Until the {th2} is {pa}, the {pe} will share a {q} room in the {s2} of {pl2}.",
    "{name2} recalled how {pe2} once {pa} a {th} there and left it {q} for years.",
    "Between the {s} and the {s2} runs a {q} path that {pe} {pa} by hand.",
    "Whether {pl} can afford the {asp} depends on a {q} {th} owned by {pe2}.",
    "The {pe} of {pl2} {pa} their own {th2} first, and it turned out {q}.",
    "For {name}, the {q} part is the {th}; the {asp} follows from it.",
    "Insurers {pa} the {th}, {pa2} the {th2}, and asked {pe} for a {q} {asp}.",
    "It took {pe} most of the season to see that the {th} under the {s} had grown {q}.",
]
ABSTRACT = [
    "We study {f} {o} when the {th} is {q} and labels from {pe} are missing.",
    "Our method combines {m} with a {q} form of {m2}, which earlier work {pa} for {o2} alone.",
    "Experiments on {o2} and {o} show that {f2} {m2} remain {q} under a {q2} {th}.",
    "We prove that {m} with {f} constraints converge when the {th2} is {pa} by {pe}.",
    "A {q} benchmark of {th} images, {pa} by {pe}, accompanies the paper.",
    "Prior approaches to {o2} assume {f2} inputs and a {q} {th}, which {pe} seldom have.",
    "The {q} cost of {m} is reduced by {m2} over the {f} part of the model.",
    "Ablations suggest that {f2} {o2} benefits most from {q} {m2}.",
    "We release code, a {q} {th2} and annotations {pa} by {pe2}.",
    "Surprisingly, {q} {m2} match {f} {m} as soon as the {th} is {pa}.",
]
HEADS = [
    "{Pl} {act} {q} {asp} of its {s} after {pe} protest",
    "Why {pe} in {Pl} {pa} the {q} {th} of the {s}",
    "{Pe} and {pe2} quarrel over the {asp} of the {Pl} {s}",
    "{Pl} {s} {act} {th} as {asp} turns {q}",
    "The {q} {th} that changed the {s} of {Pl}",
    "{Name} {act} the {asp} of the {s} in {Pl}",
    "How a {q} {th} saved the {asp} of the {Pl} {s}",
    "Inside the {s}: {pe} of {Pl} {pa} a {q} {th}",
]
PAPERS = [
    "{F} {o} with {q} {m}", "Towards {q} {f} {o} through {m} and {m2}", "{M} for {f} {o} under {q} supervision",
    "On the {q} geometry of {f} {m} in {o}", "{Tool}: {f} {o} by {q} {m}", "Learning {f} {m} from {q} {o} of {th} data",
    "Are {f} {m} {q} enough for {o}?", "{F} {m} meet {f2} {o2}: a {q} view of {o}",
]


def place(rng):
    return (rng.choice(SYLLABLES) + rng.choice(SYLLABLES) + rng.choice(ENDS)).capitalize()


def person(rng):
    return f"{(rng.choice(SYLLABLES) + rng.choice(SYLLABLES)).capitalize()} " \
           f"{(rng.choice(SYLLABLES) + rng.choice(SYLLABLES) + rng.choice('aeiou')).capitalize()}"


def words(rng):
    """Fillings of the templates. The same for all sentences of one article: its subject."""
    s = dict(s=SUBJECTS, asp=ASPECTS, q=QUALITIES, th=THINGS, pe=PEOPLE, pa=PAST, act=ACTS, f=FIELDS, o=OBJECTS,
             m=METHODS)
    w = {}
    for name, of in s.items():
        w[name], w[name + "2"], w[name + "3"] = rng.sample(of, 3)
    w.update(pl=place(rng), pl2=place(rng), name=person(rng), name2=person(rng),
             tool=(rng.choice(SYLLABLES) + rng.choice(SYLLABLES)).capitalize())
    return w


def fill(template, w):
    both = dict(w)
    both.update({k.capitalize(): v[:1].upper() + v[1:] for k, v in w.items()})
    return template.format(**both)


def sentence(rng, templates, subject):
    """A sentence on the subject, with about half of its words its own."""
    w = words(rng)
    for k in ("s", "asp", "pl", "name", "f", "o", "m", "pe", "th", "q"):
        if rng.random() < .5:
            w[k] = subject[k]
    return fill(rng.choice(templates), w)


def article(rng, paper=None, long=False):
    """A record's parts: title, paragraphs (lists of sentences), subject."""
    paper = rng.random() < .4 if paper is None else paper
    subject = words(rng)
    templates = ABSTRACT if paper else SENTENCES
    title = fill(rng.choice(PAPERS if paper else HEADS), subject)
    title = title[:1].upper() + title[1:]
    n = rng.randint(6, 9) if paper else rng.randint(6, 24 if long else 14)
    text = [sentence(rng, templates, subject) for _ in range(n)]
    if not paper:
        text[0] = fill(f"{title} by way of a {{q}} {{th2}}, {{pe2}} told {{name}}.", subject)
    cut = sorted(rng.sample(range(1, n), min(n - 1, 1 if paper else 3)))
    parts = [text[a:b] for a, b in zip([0] + cut, cut + [n])]
    return {"title": title, "text": parts, "subject": subject, "paper": paper}


def plain(parts):
    return " ".join(" ".join(p) for p in parts)


def as_html(parts):
    return "".join(f"<p>{html.escape(' '.join(p))}</p>\n" for p in parts)


def record(title, body, source="", content=False):
    return {"title": title, "content" if content else "summary": body, "source": source}


def of(a, **other):
    return record(other.get("title", a["title"]), other.get("body", plain(a["text"])), other.get("source", "b"),
                  other.get("content", False))


# ---- changes ----

BOILERPLATE = [
    "The post {t} appeared first on {s}.", "Read the full story on {s}. Sign up for our newsletter.",
    "Photo: archive. All rights reserved by {s}. Reproduction only with written permission of the publisher.",
    "Follow {s} for more. Our journalism is made possible by readers like you.",
]


def site(rng):
    return rng.choice(["The {} Courier", "{} Gazette", "{} Wire", "Radio {}"]).format(place(rng))


def syndicated(rng, a):
    return of(a)


def shortened(rng, a):
    text = [s for p in a["text"] for s in p]
    return of(a, body=" ".join(text[:max(2, len(text) // rng.randint(2, 3))]) + " […]")


def prefixed(rng, a):
    return of(a, title=rng.choice(["Update: ", "UPDATED: ", "Breaking: ", "Correction: ", "Opinion | ", "Watch: "]) +
              a["title"])


def suffixed(rng, a):
    return of(a, title=a["title"] + rng.choice([" | ", " - ", " — ", " :: "]) + site(rng))


def marked_up(rng, a):
    body = as_html(a["text"]).replace(a["subject"]["pe"], f"<b>{a['subject']['pe']}</b>")
    return of(a, body=f'<div class="x"><img src="https://x.example/i.png" alt="A picture"/>{body}</div>', content=True)


def capitals(rng, a):
    return of(a, title=a["title"].upper() if rng.random() < .5 else a["title"].title())


def typographic(rng, a):
    t = a["title"].replace("'", "’").replace(" of ", " of\u00a0").replace("-", "‐")
    return of(a, title=f"“{t}”", body=plain(a["text"]).replace("'", "’").replace(" - ", " — "))


def reordered(rng, a):
    parts = list(a["text"])
    rng.shuffle(parts)
    return of(a, title=a["title"].replace(" and ", " & "), body=as_html(parts))


def boilerplate(rng, a):
    more = fill(rng.choice(BOILERPLATE), {"t": a["title"], "s": site(rng)})
    return of(a, title=a["title"] + " | News", body=plain(a["text"]) + " " + more)


def truncated(rng, a):
    cut = max(34, int(len(a["title"]) * rng.uniform(.6, .9)))
    return of(a, title=a["title"][:cut].rstrip() + "…", body=shortened(rng, a)["summary"])


TUNED = [syndicated, shortened, prefixed, suffixed, marked_up, capitals, typographic, reordered, boilerplate,
         truncated]


def retitled(rng, a):
    s = a["subject"]
    heads = PAPERS if a["paper"] else HEADS
    title = fill(rng.choice(heads), s)
    while title.lower() == a["title"].lower():
        title = fill(rng.choice(heads), s)
    return of(a, title=title[:1].upper() + title[1:])


def one_word(rng, a):
    """Another word at one place of the title, as editors do."""
    w = a["title"].split()
    w[rng.randrange(len(w))] = rng.choice(QUALITIES)
    return of(a, title=" ".join(w))


def shuffled_title(rng, a):
    w = a["title"].split()
    at = rng.randint(1, len(w) - 1)
    return of(a, title=" ".join(w[at:] + w[:at]))


def misspelt(rng, a):
    def wrong(text, share):
        out = []
        for word in text.split(" "):
            if len(word) > 4 and rng.random() < share:
                at = rng.randrange(1, len(word) - 2)
                word = word[:at] + word[at + 1] + word[at] + word[at + 2:]
            out.append(word)
        return " ".join(out)
    return of(a, title=wrong(a["title"], .08), body=wrong(plain(a["text"]), .05))


def announced(rng, a):
    return of(a, title=rng.choice(["[cs.CL] ", "New paper: ", "Preprint: "]) + a["title"],
              body="arXiv:2401.09153v1 Announce Type: new Abstract: " + plain(a["text"]))


def datelined(rng, a):
    return of(a, title=a["title"] + rng.choice(["", " [video]", " (updated)", " – report"]),
              body=f"{place(rng).upper()} (Agency) — By {person(rng)}, staff writer. " + plain(a["text"]))


def sentences_dropped(rng, a):
    text = [s for p in a["text"] for s in p]
    less = [s for s in text if rng.random() > .3] or text
    return of(a, title=a["title"].replace("the ", ""), body=" ".join(less))


def sentences_added(rng, a):
    out = []
    for s in (s for p in a["text"] for s in p):
        out.append(s)
        if rng.random() < .5:
            out.append(sentence(rng, ABSTRACT if a["paper"] else SENTENCES, a["subject"]))
    return of(a, title="Live: " + a["title"], body=" ".join(out))


def words_replaced(rng, a):
    out = [rng.choice(QUALITIES) if rng.random() < .05 else w for w in plain(a["text"]).split()]
    return of(a, title=a["title"].rstrip("?") + ", explained", body=" ".join(out))


def escaped_twice(rng, a):
    return of(a, title=a["title"].replace("and", "&amp;"), body=html.escape(as_html(a["text"])))


def title_alone(rng, a):
    return of(a, body=rng.choice(["", "Comments", "<a href='https://x.example/c'>Comments</a>"]))


def retold(rng, a):
    """The same title, the text in few words."""
    first = [s for p in a["text"] for s in p][0]
    return of(a, body="In short: " + " ".join(first.split()[2:]))


def quoted(rng, a):
    return of(a, title=f"{person(rng)}: {a['title']}",
              body=f"{person(rng)} shared this with a remark. <blockquote>{as_html(a['text'])}</blockquote> What do "
                   "you think of it?")


def subtitle_dropped(rng, a):
    more = fill("{pe} of {pl} hope for a {q} {th}", a["subject"])
    a["title"] += ": " + more
    return of(a, title=a["title"].rsplit(": ", 1)[0])


HELD = [retitled, one_word, shuffled_title, misspelt, announced, datelined, sentences_dropped, sentences_added,
        words_replaced, escaped_twice, title_alone, retold, quoted, subtitle_dropped]


def positives(rng, kinds, n):
    for i in range(n):
        kind = kinds[i % len(kinds)]
        a = article(rng, long=rng.random() < .3)
        other = kind(rng, a)
        one = of(a, source="a", body=plain(a["text"]) if rng.random() < .5 else as_html(a["text"]))
        yield kind.__name__, one, other


# ---- articles that look alike ----

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
ROMAN = "I II III IV V VI VII VIII IX X".split()
NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()


def two(rng, texts):
    return rng.sample(list(texts), 2)


def other_text(rng, subject, paper):
    return " ".join(sentence(rng, ABSTRACT if paper else SENTENCES, subject) for _ in range(rng.randint(6, 10)))


def same_topic(rng):
    """Two papers, or reports, on one subject."""
    a = article(rng)
    b = dict(a, text=[[other_text(rng, a["subject"], a["paper"])]])
    heads = PAPERS if a["paper"] else HEADS
    title = a["title"]
    while title == a["title"]:
        title = fill(rng.choice(heads), a["subject"])
        title = title[:1].upper() + title[1:]
    return of(a, source="a"), of(b, title=title)


def title_of_another(rng):
    """A title with one word exchanged, over another text."""
    a = article(rng, paper=True)
    new = rng.choice([o for o in OBJECTS if o not in a["title"].lower()])
    old = a["subject"]["o"]
    title = a["title"].replace(old, new).replace(old.capitalize(), new.capitalize())
    return of(a, source="a"), of(a, title=title, body=other_text(rng, dict(a["subject"], o=new), True))


def parts(rng):
    a = article(rng, long=True)
    intro = a["text"][0]
    x, y = two(rng, [ROMAN, NUMBERS, [str(n) for n in range(1, 20)]][rng.randrange(3)])
    unit = rng.choice(["part", "volume", "chapter", "episode"])
    form = rng.choice(["{t}, {u} {n}", "{t} ({u} {n})", "{U} {n}: {t}"])
    make = lambda n, body: record(form.format(t=a["title"], u=unit, U=unit.capitalize(), n=n), body, n)
    same = plain([intro]) * (rng.random() < .7)
    share = plain(a["text"]) if rng.random() < .4 else ""
    return (make(x, same + " " + (share or other_text(rng, a["subject"], a["paper"]))),
            make(y, same + " " + (share or other_text(rng, a["subject"], a["paper"]))))


def sequels(rng):
    a = article(rng)
    text = plain(a["text"])
    n = rng.choice(["II", "2", "III", "Two"])
    return record(a["title"], text, "a"), record(f"{a['title']} {n}", text if rng.random() < .5 else
                                                 other_text(rng, a["subject"], a["paper"]), "b")


def versions(rng):
    tool = place(rng)
    x, y = two(rng, [f"{a}.{b}.{c}" for a in range(1, 4) for b in range(9) for c in range(9)])
    text = fill("This release of {pl} mends a {q} {th}, makes the {asp} faster and renames the {th2}. " * 2 +
                "Thanks to {name} and all {pe} who helped with the {s}, the {s2} and the {th2} of the project.",
                dict(words(rng), pl=tool))
    form = rng.choice(["{t} {v} released", "{t} v{v}", "Announcing {t} version {v} for everybody"])
    return record(form.format(t=tool, v=x), text, "a"), record(form.format(t=tool, v=y), text, "b")


def dated(rng):
    (x, y), m = two(rng, range(1, 28)), rng.choice(MONTHS)
    if rng.random() < .4:
        x, y, form = *two(rng, MONTHS), "Minutes of the {s} committee of {pl}, {d} 2024"
    elif rng.random() < .5:
        x, y, form = *two(rng, DAYS), "What the {pe} of {pl} are reading this {d}"
    else:
        form = "The {s} of {pl} on {d} " + m
    w = words(rng)
    text = " ".join(fill(t, w) for t in rng.sample(SENTENCES, 5))
    return record(fill(form, dict(w, d=str(x))), text, "a"), record(fill(form, dict(w, d=str(y))), text, "b")


COLUMNS = ["Letters to the editor", "The week in pictures", "What we are reading this week", "Morning briefing",
           "Links of the day for the weekend", "Questions and answers with our readers", "Today in the markets",
           "Here is what happened this week", "Births, marriages and deaths", "Open thread: what are you up to?",
           "Your comments on our stories of the week", "The best new books of the month"]


def columns(rng):
    """The same column in two papers, or two weeks."""
    title = rng.choice(COLUMNS)
    make = lambda s: record(title, " ".join(sentence(rng, SENTENCES, words(rng)) for _ in range(rng.randint(1, 6))), s)
    return make("a"), make(rng.choice("ab"))


TEMPLATES = [
    ("Council minutes for the parish of {pl}", "The parish council of {pl} met in the {s}. Present were the clerk, the "
     "members and {name}. Apologies were received. The minutes of the last meeting were read and signed. The clerk "
     "reported on the {asp} and on the state of the {th}. It was resolved that the matter be taken up again. There being "
     "no other business the meeting of the {pl} council was closed by the chairman with thanks to all."),
    ("Vacancy: accountant at the {s} in {pl}", "The {s} in {pl} seeks an accountant to join its friendly team. You will "
     "keep the books, prepare the accounts and answer the questions of auditors. You bring experience, patience and a "
     "sense of order. We offer fair pay, a pension and a place near the {s}. Applications with the usual papers should be "
     "sent to {name} in {pl} before the end of the month. We look forward to hearing from you."),
    ("Weather for {pl} and the coast", "It will be {q} in {pl} with wind from the west and some cloud. Temperatures stay "
     "where they were. Towards the evening showers may reach the coast near {pl}, and the night will be clear. Ferries run "
     "as usual. The outlook for the rest of the week is settled with long spells of sunshine and little rain."),
    ("{name} appointed head of the {pl} {s}", "The board of the {pl} {s} has appointed {name} as its new head. The board "
     "thanked the outgoing head for many years of service and said that it was looking forward to working with {name}. The "
     "appointment takes effect at once. The {s}, which was founded by {pe}, is among the oldest of its kind in the country "
     "and receives a grant of the ministry."),
    ("Security advisory: {tool} may disclose memory", "A flaw in {tool} lets remote attackers read memory of the server by "
     "means of a crafted request. All supported releases of {tool} are affected. There is no known workaround. Users should "
     "install the corrected packages and restart the service. We thank {name} for reporting the flaw to us in private and "
     "for testing the correction before it was published."),
]


def templated(rng):
    """Forms that are filled in again: the bodies overlap, the titles are alike."""
    title, text = rng.choice(TEMPLATES)
    x, y = words(rng), words(rng)
    if rng.random() < .5:
        y = dict(x, pl=y["pl"], name=y["name"], tool=y["tool"])
    return record(fill(title, x), fill(text, x), "a"), record(fill(title, y), fill(text, y), "b")


WALL = ("This article is for subscribers only. Log in or start your trial to read the whole text. A subscription gives you "
        "access to all articles, the archive, the crossword and the newspaper on all your devices. You can end it at any "
        "time. Your support keeps independent reporting alive in our region and we are grateful for it.")


def walled(rng):
    """Two articles of which sources show the same notice."""
    a, b = article(rng, paper=False), article(rng, paper=False)
    if rng.random() < .5:
        b["title"] = fill(rng.choice(HEADS), dict(a["subject"], s=b["subject"]["s"], th=b["subject"]["th"]))
    return of(a, source="a", body=WALL), of(b, body=WALL)


def follow_up(rng):
    """The day after: the background is told again."""
    a = article(rng, paper=False, long=True)
    old = [s for p in a["text"] for s in p]
    new = [sentence(rng, SENTENCES, a["subject"]) for _ in range(len(old))]
    title = fill("{Name} answers the {pe} over the {th} of the {s}", dict(a["subject"], name=a["subject"]["name2"]))
    return of(a, source="a"), of(a, title=title, body=" ".join(new + old[len(old) // 2:]))


def unrelated(rng):
    return of(article(rng), source="a"), of(article(rng))


ALIKE = [same_topic, title_of_another, parts, sequels, versions, dated, columns, templated, walled, follow_up, unrelated]


def negatives(rng, n):
    for i in range(n):
        kind = ALIKE[i % len(ALIKE)]
        one, other = kind(rng)
        if one["title"] == other["title"] and one.get("summary") == other.get("summary"):
            continue
        yield kind.__name__, one, other


def newspapers(rng, weeks=8):
    """Entries of three newspapers, no two of one story."""
    out = []
    towns = [place(rng) for _ in range(3)]
    for town in towns:
        names = [person(rng) for _ in range(4)]
        home = words(rng)
        for week in range(weeks):
            def put(title, body):
                if not any((r["title"], r["summary"]) == (title, body) for r in out):
                    out.append(record(title, body, town))
            text = lambda n: " ".join(sentence(rng, SENTENCES, words(rng)) for _ in range(n))
            put("Letters to the editor", text(4))
            put("The week in pictures from around the county", text(1))
            put(f"Crossword {1200 + week}", f"Our setter {names[0]} has been at it again for readers in {town}.")
            put(f"Cryptic crossword no. {3100 + 7 * week} by {names[3]}", "Across and down, with the usual tricks.")
            put(f"Weather for {DAYS[week % 7]}", fill("It will be {q} in {pl} with wind from the west and some cloud in "
                "the evening, and the night stays {q2} on the coast.", dict(home, q=rng.choice(QUALITIES))))
            put(f"Council notes, week {week + 20}", fill(TEMPLATES[0][1], dict(words(rng), pl=town)))
            put(f"{town} {rng.randint(0, 4)}, {place(rng)} {rng.randint(0, 4)}: match report of round {week + 1}", text(5))
            put(f"Sermon on the mount, part {ROMAN[week % 10]}", text(3) + " The series goes on next Sunday at ten.")
            put(f"Ten things to do in {town} this weekend", text(5))
            put(f"{names[1]}: my week in the garden", text(4))
            put(f"From our archive: this week in {1910 + week}", text(3))
            put(f"Obituary: {person(rng)}, {rng.choice(PEOPLE)[:-1]} and {rng.choice(PEOPLE)[:-1]}", text(4))
            put(f"Recipe: {rng.choice(QUALITIES)} soup with {rng.choice(SUBJECTS)} herbs", text(3))
            put("Horoscope", text(2))
    rng.shuffle(out)
    return out
