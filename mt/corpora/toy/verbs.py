"""The verbs of the toy grammar by what goes with them: each German verb has one English translation, and vice versa."""

from collections.abc import Iterator

from mt.corpora.toy import morphology as form
from mt.corpora.toy.lexicon import LIVING, PLACES, THINGS, entries
from mt.corpora.toy.morphology import Case, Frame, Modal, Verb

_IRREGULAR = {
    "wissen": ("weiß", "weißt", "weiß", "wissen", "wissen"),
    "haben": ("habe", "hast", "hat", "haben", "haben"),
    "sein": ("bin", "bist", "ist", "sind", "sind"),
}
_PRETERITE = {
    "haben": ("hatte", "hattest", "hatte", "hatten", "hatten"),
    "sein": ("war", "warst", "war", "waren", "waren"),
}
AUXILIARIES = {"haben": _IRREGULAR["haben"], "sein": _IRREGULAR["sein"]}
BE = {False: ("am", "are", "is", "are", "are"), True: ("was", "were", "was", "were", "were")}


def _verbs(frame: Frame, text: str) -> Iterator[Verb]:
    """Read "prefix|infinitive third participle english [past] [preposition+case=english], ..."; ist_ marks sein."""
    for entry in entries(text):
        german, third, participle, english, *rest = entry.split()
        prefix, _, infinitive = german.rpartition("|")
        base, _, particle = english.partition("_")
        preposition: tuple[str, Case, str] | None = None
        if rest and "=" in rest[-1]:
            left, english_preposition = rest.pop().split("=")
            word, _, short = left.partition("+")
            preposition = (word, "accusative" if short == "acc" else "dative", english_preposition)
        yield Verb(
            prefix=prefix,
            infinitive=infinitive,
            present=_IRREGULAR.get(infinitive) or form.conjugate_german(infinitive, third),
            preterite=_PRETERITE.get(infinitive, ()),
            participle=participle.removeprefix("ist_"),
            auxiliary="sein" if participle.startswith("ist_") else "haben",
            english=base,
            english_past=rest[0] if rest else form.past_english(base),
            particle=particle,
            preposition=preposition,
            frame=frame,
        )


MODALS = (
    Modal(
        ("kann", "kannst", "kann", "können", "können"),
        ("konnte", "konntest", "konnte", "konnten", "konnten"),
        "can",
        "could",
        False,
    ),
    Modal(
        ("muss", "musst", "muss", "müssen", "müssen"),
        ("musste", "musstest", "musste", "mussten", "mussten"),
        "have",
        "had",
        True,
    ),
    Modal(
        ("will", "willst", "will", "wollen", "wollen"),
        ("wollte", "wolltest", "wollte", "wollten", "wollten"),
        "want",
        "wanted",
        True,
    ),
    Modal(("soll", "sollst", "soll", "sollen", "sollen"), (), "should", "", False),
    Modal(("darf", "darfst", "darf", "dürfen", "dürfen"), (), "may", "", False),
    Modal(("werde", "wirst", "wird", "werden", "werden"), (), "will", "", False),
)
CAN = MODALS[0]

INTRANSITIVE = Frame(("person",), adjunct=("manner", "companion"), place=True)
MOVEMENT = Frame(LIVING, direction=True, adjunct=("manner",))
ACTION = Frame(("person",), accusative=THINGS, adjunct=("manner", "beneficiary"), place=True)
COPULA = Frame(("person", "animal", *THINGS, *PLACES, "food"), predicate=True)
VERBS = (
    *_verbs(
        INTRANSITIVE,
        """
        arbeiten arbeitet gearbeitet work, lachen lacht gelacht laugh, weinen weint geweint cry,
        tanzen tanzt getanzt dance, singen singt gesungen sing sang, lächeln lächelt gelächelt smile,
        schreien schreit geschrien scream, flüstern flüstert geflüstert whisper, lernen lernt gelernt study,
        auf|stehen steht ist_aufgestanden get_up got, ein|kaufen kauft eingekauft go_shopping went""",
    ),
    *_verbs(
        Frame(LIVING, place=True),
        """
        schlafen schläft geschlafen sleep slept, warten wartet gewartet wait, träumen träumt geträumt dream,
        sterben stirbt ist_gestorben die, auf|wachen wacht ist_aufgewacht wake_up woke,
        ein|schlafen schläft ist_eingeschlafen fall_asleep fell, springen springt ist_gesprungen jump,
        weg|laufen läuft ist_weggelaufen run_away ran""",
    ),
    *_verbs(
        Frame((*THINGS, "food"), place=True),
        """
        verschwinden verschwindet ist_verschwunden vanish, brennen brennt gebrannt burn""",
    ),
    *_verbs(
        Frame(LIVING, position=True),
        """
        bleiben bleibt ist_geblieben stay, sitzen sitzt gesessen sit sat, wohnen wohnt gewohnt live""",
    ),
    *_verbs(
        Frame(THINGS, position=True),
        """
        liegen liegt gelegen lie lay, stehen steht gestanden stand stood, hängen hängt gehangen hang hung""",
    ),
    *_verbs(
        MOVEMENT,
        """
        gehen geht ist_gegangen go went, laufen läuft ist_gelaufen run ran, kommen kommt ist_gekommen come came,
        klettern klettert ist_geklettert climb, fliehen flieht ist_geflohen flee fled,
        schwimmen schwimmt ist_geschwommen swim swam, fliegen fliegt ist_geflogen fly flew,
        reisen reist ist_gereist travel travelled, zurück|kehren kehrt ist_zurückgekehrt return""",
    ),
    *_verbs(
        ACTION,
        """
        kaufen kauft gekauft buy bought, bezahlen bezahlt bezahlt pay_for paid, tragen trägt getragen carry,
        waschen wäscht gewaschen wash, reparieren repariert repariert repair, holen holt geholt fetch,
        zeichnen zeichnet gezeichnet draw drew, putzen putzt geputzt clean, verstecken versteckt versteckt hide hid,
        bauen baut gebaut build built, auf|heben hebt aufgehoben pick_up,
        weg|werfen wirft weggeworfen throw_away threw, ab|holen holt abgeholt collect,
        vor|bereiten bereitet vorbereitet prepare""",
    ),
    *_verbs(
        Frame(("person",), accusative=("text",), adjunct=("manner", "beneficiary"), place=True),
        """
        schreiben schreibt geschrieben write wrote, übersetzen übersetzt übersetzt translate,
        vor|lesen liest vorgelesen recite""",
    ),
    *_verbs(
        Frame(("person",), accusative=("container",), adjunct=("manner",)),
        """
        auf|machen macht aufgemacht open, zu|machen macht zugemacht close,
        ab|schließen schließt abgeschlossen lock""",
    ),
    *_verbs(
        Frame(("person",), accusative=(*THINGS, "food")),
        """
        brauchen braucht gebraucht need, verlieren verliert verloren lose lost, haben hat gehabt have had,
        verkaufen verkauft verkauft sell sold""",
    ),
    *_verbs(
        Frame(LIVING, accusative=("food", "mass"), adjunct=("manner",), place=True),
        """
        essen isst gegessen eat ate, probieren probiert probiert taste""",
    ),
    *_verbs(
        Frame(("person",), accusative=("mass",), adjunct=("beneficiary",), place=True),
        """
        kochen kocht gekocht cook, ein|packen packt eingepackt pack""",
    ),
    *_verbs(
        Frame(LIVING, accusative=(*LIVING, *THINGS), place=True),
        """
        sehen sieht gesehen see saw, finden findet gefunden find found, suchen sucht gesucht seek sought,
        vergessen vergisst vergessen forget forgot""",
    ),
    *_verbs(
        Frame(LIVING, accusative=LIVING),
        """
        hören hört gehört hear heard, lieben liebt geliebt love, hassen hasst gehasst hate,
        retten rettet gerettet rescue, fangen fängt gefangen catch caught, jagen jagt gejagt chase,
        verstehen versteht verstanden understand understood, an|schauen schaut angeschaut look_at""",
    ),
    *_verbs(
        Frame(("person",), accusative=("person",), place=True),
        """
        besuchen besucht besucht visit, küssen küsst geküsst kiss, umarmen umarmt umarmt hug hugged,
        begrüßen begrüßt begrüßt greet, an|rufen ruft angerufen phone, ein|laden lädt eingeladen invite,
        kennen|lernen lernt kennengelernt meet met""",
    ),
    *_verbs(
        Frame(("person",), dative=LIVING, adjunct=("manner",), place=True),
        """
        helfen hilft geholfen help, folgen folgt ist_gefolgt follow, danken dankt gedankt thank,
        antworten antwortet geantwortet answer, gehorchen gehorcht gehorcht obey, vertrauen vertraut vertraut trust,
        zu|hören hört zugehört listen_to, nach|laufen läuft ist_nachgelaufen run_after ran""",
    ),
    *_verbs(
        Frame(("person",), accusative=(*THINGS, "food"), dative=("person",), place=True),
        """
        geben gibt gegeben give gave, zeigen zeigt gezeigt show, schicken schickt geschickt send sent,
        bringen bringt gebracht bring brought, an|bieten bietet angeboten offer""",
    ),
    *_verbs(
        Frame(("person",), prepositional=("person", "animal"), place=True),
        """
        kämpfen kämpft gekämpft fight fought gegen+acc=against, spielen spielt gespielt play mit+dat=with,
        denken denkt gedacht think thought an+acc=of, sprechen spricht gesprochen talk von+dat=about,
        auf|passen passt aufgepasst look auf+acc=after""",
    ),
    *_verbs(
        Frame(("person",), conjunctions=("dass",)),
        """
        sagen sagt gesagt say said, glauben glaubt geglaubt believe, hoffen hofft gehofft hope,
        behaupten behauptet behauptet claim""",
    ),
    *_verbs(
        Frame(("person",), conjunctions=("dass", "ob")),
        """
        wissen weiß gewusst know knew, entdecken entdeckt entdeckt discover""",
    ),
    *_verbs(
        Frame(("person",), conjunctions=("ob",)),
        """
        fragen fragt gefragt ask""",
    ),
)
(BEING,) = _verbs(COPULA, "sein ist gewesen be was")
