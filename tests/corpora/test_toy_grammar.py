"""The toy grammar's sentences and links, phenomenon by phenomenon, checked by hand."""

import re
from random import Random

import pytest
from test_toy import splits, words

from mt.corpora.toy import grammar, lexicon, phrases, verbs
from mt.corpora.toy.clause import Clause, Tense
from mt.corpora.toy.grammar import Grammar
from mt.corpora.toy.phrases import Phrase


@pytest.mark.parametrize(
    ("case", "kind", "determiner", "examples"),
    [
        ("nominative", "person", lexicon.THE, "der alte Mann = the old man, die alten Männer = the old men"),
        ("accusative", "person", lexicon.THE, "den Jungen = the boy, die kleine Hexe = the small witch"),
        ("dative", "person", lexicon.THE, "dem Jungen = the boy, den Kindern = the children, der Frau = the woman"),
        ("genitive", "person", lexicon.THE, "des armen Mannes = the poor man, des Lehrers = the teacher"),
        ("nominative", "person", lexicon.A, "ein müder König = a tired king, ein altes Mädchen = an old girl"),
        ("accusative", "animal", lexicon.A, "einen roten Fuchs = a red fox, einen alten Esel = an old donkey"),
        ("dative", "animal", lexicon.NO, "keinem Löwen = no lion, keinen braunen Mäusen = no brown mice"),
        ("nominative", "thing", lexicon.BARE, "kleine Hüte = small hats"),
        ("dative", "thing", lexicon.BARE, "trockenen Hemden = dry shirts, Autos = cars"),
        ("dative", "mass", lexicon.BARE, "kaltem Wasser = cold water, warmer Milch = warm milk"),
        ("accusative", "mass", lexicon.BARE, "heißen Tee = hot tea"),
        ("accusative", "text", lexicon.THIS, "dieses lange Buch = this long book, diese Briefe = these letters"),
        ("dative", "surface", lexicon.POSSESSIVES[3], "ihrem Tisch = her table, ihren nassen Dächern = her wet roofs"),
        ("nominative", "food", lexicon.QUANTIFIERS[1], "alle süßen Äpfel = all sweet apples"),
        ("nominative", "food", lexicon.COUNTS[1], "drei süße Äpfel = three sweet apples"),
    ],
)
def test_noun_phrases(case, kind, determiner, examples):
    """Draw until each example has come, with the translation it must have."""
    drawing, expected = Grammar(Random(1)), dict(lexicon.pairs(examples))
    for _ in range(100000):
        phrase = drawing.noun_phrase(case, (kind,), [determiner]).phrase
        german, english = (" ".join(token.text for token in side) for side in (phrase.german, phrase.english))
        assert expected.pop(german, english) == english
        if not expected:
            return
    pytest.fail(f"never drawn: {expected}")


THIRD = 2
VERBS = {verb.prefix + verb.infinitive: verb for verb in (*verbs.VERBS, verbs.BEING)}
PRESENT, PAST = Tense(False), Tense(True)
CAN, MUST, WILL = (Tense(False, modal) for modal in (verbs.MODALS[0], verbs.MODALS[1], verbs.MODALS[5]))


def sentence(infinitive: str, tense: Tense, order: str = "main", person: int = THIRD, **constituents: str):
    """Put a clause together; return both lines and the links as words, unchanged words of "=" entries left out."""
    drawing = Grammar(Random(1))
    phrases_ = {slot: drawing.words(lexicon.pairs(text)[0]) for slot, text in constituents.items()}
    clause = Clause(VERBS[infinitive], tense, person, phrases_.pop("subject"), drawing.concept(), drawing.concept())
    for slot, phrase in phrases_.items():
        setattr(clause, slot, phrase)
    pair = grammar.write(clause.phrase(order), "?" if order == "question" else ".")
    german, english = words(pair.german), words(pair.english)
    return pair.german, pair.english, {f"{german[i]}-{english[j]}" for i, j in pair.links}


MAN, DOG = "der Mann = the man", "den Hund = the dog"
NP_LINKS = {"der-the", "Mann-man"}


def test_perfekt_is_the_simple_past():
    assert sentence("sehen", PAST, subject="er = he", objects=DOG) == (
        "Er hat den Hund gesehen.",
        "He saw the dog.",
        {"Er-He", "hat-saw", "gesehen-saw", "den-the", "Hund-dog"},
    )
    german, english, _ = sentence("gehen", PAST, person=3, subject="wir = we", complement="nach Wien = to Vienna")
    assert (german, english) == ("Wir sind nach Wien gegangen.", "We went to Vienna.")
    german, english, _ = sentence("haben", PAST, person=1, subject="du = you", objects=DOG)
    assert (german, english) == ("Du hattest den Hund.", "You had the dog.")


def test_separable_verb():
    time = "jeden Tag = every day"
    assert sentence("aufstehen", PRESENT, subject="sie = she", time=time) == (
        "Sie steht jeden Tag auf.",
        "She gets up every day.",
        {"Sie-She", "steht-gets", "steht-up", "auf-gets", "auf-up", "jeden-every", "Tag-day"},
    )
    assert sentence("aufstehen", PAST, subject="sie = she", time=time)[0] == "Sie ist jeden Tag aufgestanden."
    assert sentence("aufstehen", PRESENT, "subordinate", subject="sie = she", time=time)[:2] == (
        "Sie jeden Tag aufsteht.",
        "She gets up every day.",
    )


def test_modal_verbs_and_future():
    assert sentence("abholen", MUST, subject="sie = she", objects=DOG) == (
        "Sie muss den Hund abholen.",
        "She has to collect the dog.",
        {"Sie-She", "muss-has", "muss-to", "den-the", "Hund-dog", "abholen-collect"},
    )
    assert sentence("aufstehen", WILL, "subordinate", person=4, subject="sie = they")[0] == "Sie aufstehen werden."
    assert sentence("schlafen", Tense(True, verbs.MODALS[2]), person=0, subject="ich = I")[:2] == (
        "Ich wollte schlafen.",
        "I wanted to sleep.",
    )


def test_negation_and_do_support():
    nicht = "nicht = not"
    assert sentence("sehen", PRESENT, subject="er = he", objects=DOG, negation=nicht) == (
        "Er sieht den Hund nicht.",
        "He does not see the dog.",
        {"Er-He", "sieht-does", "sieht-see", "den-the", "Hund-dog", "nicht-not"},
    )
    assert sentence("schlafen", CAN, subject="er = he", negation=nicht) == (
        "Er kann nicht schlafen.",
        "He cannot sleep.",
        {"Er-He", "kann-cannot", "nicht-cannot", "schlafen-sleep"},
    )
    german, english, _ = sentence("kommen", MUST, subject="er = he", negation=nicht)
    assert (german, english) == ("Er muss nicht kommen.", "He does not have to come.")
    german, english, _ = sentence("sein", PRESENT, subject="er = he", negation=nicht, complement="müde = tired")
    assert (german, english) == ("Er ist nicht müde.", "He is not tired.")


def test_questions():
    assert sentence("essen", PAST, "question", person=1, subject="du = you", objects="Brot = bread") == (
        "Hast du Brot gegessen?",
        "Did you eat bread?",
        {"Hast-Did", "du-you", "Brot-bread", "gegessen-eat"},
    )
    german, english, links = sentence("kaufen", PRESENT, "question", subject=MAN, front="was = what")
    assert (german, english) == ("Was kauft der Mann?", "What does the man buy?")
    assert links == NP_LINKS | {"Was-What", "kauft-does", "kauft-buy"}
    german, english, _ = sentence("sein", PAST, "question", subject=MAN, front="wo = where")
    assert (german, english) == ("Wo war der Mann?", "Where was the man?")
    german, english, _ = sentence("helfen", CAN, "question", subject="er = he", pronouns="mir = me")
    assert (german, english) == ("Kann er mir helfen?", "Can he help me?")


def test_inversion_and_the_order_of_adverbials():
    german, english, links = sentence(
        "waschen",
        PAST,
        subject=MAN,
        front="heute = today",
        objects=DOG,
        adjunct="langsam = slowly",
        place="in Rom = in Rome",
    )
    assert german == "Heute hat der Mann den Hund langsam in Rom gewaschen."
    assert english == "Today the man washed the dog slowly in Rome."
    assert {"Heute-Today", "hat-washed", "gewaschen-washed", "den-the", "langsam-slowly"} < links
    german, english, _ = sentence("warten", PRESENT, subject=MAN, time="jetzt = now", place="in Rom = in Rome")
    assert (german, english) == ("Der Mann wartet jetzt in Rom.", "The man waits in Rome now.")


def test_frequency_stands_before_the_english_verb_but_after_an_auxiliary():
    def english(infinitive: str, tense: Tense, order: str = "main") -> str:
        return sentence(infinitive, tense, order, subject="er = he", frequency="oft = often")[1]

    assert english("schlafen", PAST) == "He often slept."
    assert english("schlafen", CAN) == "He can often sleep."
    assert english("schlafen", MUST) == "He often has to sleep."
    assert english("schlafen", PRESENT, "question") == "Does he often sleep?"
    assert english("sein", PAST) == "He was often."


def test_prepositions_contract_and_the_contraction_has_both_links():
    drawing = Grammar(Random(1))
    expected = {
        ("in", "dem"): "im",
        ("in", "das"): "ins",
        ("zu", "der"): "zur",
        ("von", "dem"): "vom",
        ("auf", "dem"): "",
    }
    for (preposition, article), contraction in expected.items():
        nominal = phrases.Nominal(drawing.words((f"{article} Haus", "the house")), THIRD, "inside", "n")
        pair = grammar.write(drawing.prepositional(preposition, "xx", nominal), ".")
        first = (contraction or f"{preposition} {article}").capitalize()
        assert pair.german == f"{first} Haus."
        assert pair.links == ({(0, 0), (0, 1), (1, 2)} if contraction else {(0, 0), (1, 1), (2, 2)})


# What the grammar itself puts together: found in the corpus by pattern, with the English pattern it must have.
PATTERNS = [
    (r"^Weil (.*), ", r"^Because (.*), "),
    (r", obwohl ", r" although "),
    (r", dass (.*) (hat|haben|habe|hast|ist|sind|bin|bist)\.$", r" that "),
    (r", ob ", r" whether "),
    (r"^Wenn ", r"^If "),
    (r", damit .* (kann|können|kannst)\.$", r" so that .* can(not)? "),
    (r", als .* (war|waren)\.$", r" when .* (was|were) "),
    (r"\w, (den|die|das) (ich|du|wir)\b", r"\b(whom|that) (I|you|we)\b"),
    (r", (der|die) .*, ", r" (who|whom|that) "),
    (r"[Vv]or drei Tagen", r"[Tt]hree days ago"),
    (r" des \w+(s|n)\b", r" of the "),
    (r"^Wer ", r"^Who (?!do |does |did )|^Who (do|does|did) not "),
    (r"^Wen (hat|haben|hast|habe) ", r"^Whom (did|had|do|does) "),
    (r" nicht (arbeiten|schlafen|warten)\b", r"(cannot|not .*)(work|sleep|wait)"),
    (r"^Kein\w* ", r"^No "),
    (r", und ", r", and "),
    (r"^Sie (ist|hat|kann|muss|will|soll|darf|wird|war|hatte) ", r"^She "),
    (r"^Sie (sind|haben|können|müssen|wollen|sollen|dürfen|werden|waren|hatten) ", r"^They "),
]


@pytest.mark.parametrize(("german", "english"), PATTERNS)
def test_patterns_in_the_corpus(german, english):
    train = splits()["train"]
    found = [target for source, target in zip(train.sources, train.targets, strict=True) if re.search(german, source)]
    assert len(found) >= 5
    assert [line for line in found if not re.search(english, line)] == []


def test_relative_pronouns_are_objects_only_where_the_subject_shows_its_case():
    """ "die Frau, die sie sieht" is the woman who sees her; it must not be the woman whom she sees, too."""
    train = " ".join(splits()["train"].targets)
    assert len(re.findall(r" whom (I|you|we) ", train)) > 20
    assert re.findall(r" whom (?!I |you |we )\w+", train) == []


def test_an_indefinite_object_is_not_negated_by_nicht():
    """It would ask for kein."""
    indefinite = r"\b(ein\w*|viele|vielen|einige|einigen) ([a-zäöüß]+e[nrs]? )?[A-Z]\w+"
    lines = [line for line in splits()["train"].sources if "," not in line]
    assert sum(bool(re.search(rf"{indefinite} \w+\.", line)) for line in lines) > 100
    assert [line for line in lines if re.search(rf"{indefinite} nicht\b", line)] == []


def test_commas_never_meet():
    comma, word = phrases.COMMA, phrases.Token("wort", (0,))
    pair = grammar.write(Phrase((word, comma, comma, word, comma), (word,)), ".")
    assert pair.german == "Wort, wort."
    assert pair.german_spans == ((0, 4), (6, 10))
    assert pair.links == {(0, 0), (1, 0)}
