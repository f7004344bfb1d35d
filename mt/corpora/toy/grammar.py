"""The toy grammar: sentences with their translations and word links, drawn at random.

Words are chosen freely within what a verb goes with; form and order then follow rules, one language at a time.

* Tenses: Präsens is the simple present, Perfekt (of sein and haben: Präteritum) the simple past, modal verbs and the
  future take an infinitive.
* German main clause: front, finite verb, subject, pronouns, time, objects, nicht, adjunct, place, complement, rest of
  the verb (separable prefix, participle or infinitive). The front is the subject, or what displaces it. A yes-no
  question has no front; in a subordinate clause the finite verb comes last of all.
* English clause: front, subject, auxiliary, not, frequency, verb, pronouns, objects, complement, adjunct, place, time.
  In questions the auxiliary precedes the subject. Questions and "not" ask for an auxiliary, "do" if there is no other.
* "nicht" (not) goes with definite noun phrases; "kein" (no) negates an object, or the subject if there is none.
* Subordinate clauses stand first (then English has a comma, too) or last. Relative clauses follow their noun.
* Nothing is ambiguous where it matters: "sie" is she or they by its verb, and as an object always her; "ihr" is always
  her; relative pronouns are objects only where a pronoun in the nominative follows; objects follow their subject.

A finite form with a meaning of its own carries both concepts: "hat" and "gegessen" are both linked to "ate", "steht"
and "auf" to "gets up", "sieht" to "does" and "see"; but in "did ... eat" the auxiliary has hat, the verb has gegessen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from mt.corpora.pairs import Link, Span
from mt.corpora.toy import lexicon
from mt.corpora.toy.clause import Clause, Tense
from mt.corpora.toy.morphology import ARTICLE, THIRD, Determiner, Verb
from mt.corpora.toy.phrases import ANY, COMMA, DEFINITE, EMPTY, NEGATIVE, Nominal, Phrase, Phrases, Token
from mt.corpora.toy.verbs import BEING, CAN, MODALS, VERBS

BOTH_COMMAS = Phrase((COMMA,), (COMMA,))
GERMAN_COMMA = Phrase((COMMA,))
SHORTEST, LONGEST = 4, 25
POLARITIES = (*[""] * 17, *["nicht"] * 3, *["kein"] * 2)

SIMPLE = tuple(verb for verb in VERBS if not verb.frame.conjunctions)
PLACED = (*(verb for verb in VERBS if verb.frame.place or verb.frame.position), *[BEING] * 5)
KINDS = sorted({noun.kind for noun in lexicon.NOUNS})
BY_SUBJECT = {kind: tuple(verb for verb in SIMPLE if kind in verb.frame.subject) for kind in KINDS}
BY_OBJECT = {kind: tuple(verb for verb in SIMPLE if kind in verb.frame.accusative) for kind in KINDS}

INTERROGATIVES = (
    # German, English, what it stands for, verbs it goes with
    ("wo", "where", "place", PLACED),
    ("wann", "when", "time", VERBS),
    ("warum", "why", "", VERBS),
    ("wer", "who", "subject", BY_SUBJECT["person"]),
    ("was", "what", "accusative", BY_OBJECT["thing"]),
    ("wen", "whom", "accusative", BY_OBJECT["person"]),
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence in both languages; spans of its words, and links (German word, English word)."""

    german: str
    english: str
    german_spans: tuple[Span, ...]
    english_spans: tuple[Span, ...]
    links: frozenset[Link]


class Grammar(Phrases):
    """Draws clauses and sentences; one object makes one sentence."""

    def sentence(self) -> tuple[Phrase, str]:
        """Return a sentence and its final mark."""
        choice = self.random.random()
        if choice < 0.13:
            return self.clause(self.verb(VERBS), self.tense()).phrase("question"), "?"
        if choice < 0.27:
            return self.wh_question(), "?"
        if choice < 0.43:
            return self.complex(), "."
        if choice < 0.48:
            coordinator = BOTH_COMMAS + self.words(self.pick(lexicon.COORDINATORS))
            return self.statement(SIMPLE) + coordinator + self.statement(SIMPLE), "."
        return self.statement(VERBS), "."

    def statement(self, verbs: tuple[Verb, ...]) -> Phrase:
        """Return a main clause, in which something else than the subject may stand first."""
        clause, choice = self.clause(self.verb(verbs), self.tense()), self.random.random()
        if clause.time and choice < 0.5:
            clause.front, clause.time = clause.time, EMPTY
        elif clause.place and choice < 0.3:
            clause.front, clause.place = clause.place, EMPTY
        elif choice > 0.93:
            clause.front = self.words(self.pick(lexicon.ATTITUDES))
        return clause.phrase()

    def wh_question(self) -> Phrase:
        """Return a question with an interrogative; where it is the subject, English keeps the order of a statement."""
        german, english, gap, verbs = self.pick(INTERROGATIVES)
        word, verb, tense = self.words((german, english)), self.pick(verbs), self.tense()
        if gap == "subject":
            return self.clause(verb, tense, Nominal(word, THIRD, "person", "m")).phrase()
        clause = self.clause(verb, tense, gap=gap)
        clause.front = word
        return clause.phrase("question")

    def complex(self) -> Phrase:
        """Return a main clause and a subordinate one, before or behind it."""
        rule = self.pick(tuple(lexicon.CONJUNCTIONS))
        conjunction = self.words(self.pick(lexicon.CONJUNCTIONS[rule]))
        if rule == "any":
            main, inner = self.tense(), self.tense()
        else:
            past = rule == "past" or (rule != "present" and self.chance(0.5))
            main = Tense(past)
            inner = Tense(past, CAN if rule == "purpose" else None)
        subordinate = conjunction + self.clause(self.verb(SIMPLE), inner, light=rule != "any").phrase("subordinate")
        clause = self.clause(self.verb(SIMPLE), main)
        if self.chance(0.4):
            clause.front = subordinate + BOTH_COMMAS
            return clause.phrase()
        return clause.phrase() + GERMAN_COMMA + subordinate

    def verb(self, verbs: tuple[Verb, ...]) -> Verb:
        """Return sein or one of `verbs`."""
        return BEING if self.chance(0.1) else self.pick(verbs)

    def tense(self) -> Tense:
        """Return any tense, or a modal verb."""
        choice = self.random.random()
        if choice < 0.25:
            modal = self.pick(MODALS)
            return Tense(bool(modal.preterite) and self.chance(0.3), modal)
        return Tense(choice < 0.55)

    def clause(
        self, verb: Verb, tense: Tense, subject: Nominal | None = None, *, gap: str = "", light: bool = False
    ) -> Clause:
        """Return a clause without what `gap` names, for which an interrogative or relative pronoun stands.

        A light clause has no time, and no relative clauses.
        """
        polarity, accusative = self.pick(POLARITIES), () if gap == "accusative" else verb.frame.accusative
        determiners = DEFINITE if polarity == "nicht" else ANY
        if subject is None:
            negative = polarity == "kein" and not accusative
            subject = self.subject(verb.frame.subject, NEGATIVE if negative else determiners)
            subject = subject if light else self.with_relative(subject)
        clause = Clause(verb, tense, subject.person, subject.phrase, self.concept(), self.concept())
        if polarity == "nicht":
            clause.negation = self.words(("nicht", "not"))
        if verb.frame.dative:
            self.add(clause, self.object("dative", verb.frame.dative, determiners, subject.person))
        if accusative:
            negative_or_not = NEGATIVE if polarity == "kein" else determiners
            direct = self.object("accusative", accusative, negative_or_not, subject.person)
            self.add(clause, direct if light else self.with_relative(direct))
        self.complement(clause, subject.kind, determiners, gap)
        self.adverbials(clause, gap, light, plain=not polarity)
        return clause

    def add(self, clause: Clause, nominal: Nominal) -> None:
        """Put an object in its place, which for a pronoun is another."""
        if nominal.form == "pronoun":
            clause.pronouns += nominal.phrase
        else:
            clause.objects += nominal.phrase

    def complement(self, clause: Clause, subject: str, determiners: tuple[Determiner, ...], gap: str) -> None:
        """Add what the verb must have, objects apart."""
        verb = clause.verb
        if verb.preposition:
            german, case, english = verb.preposition
            nominal = self.object(case, verb.frame.prepositional, determiners, clause.person)
            clause.complement = self.prepositional(german, english, nominal)
        elif verb.frame.direction:
            clause.complement = self.direction()
        elif verb.frame.position and gap != "place":
            clause.complement = self.place()
        elif verb.frame.conjunctions:
            word = self.pick(verb.frame.conjunctions)
            conjunction = self.words((word, lexicon.COMPLEMENTISERS[word]))
            inner = self.clause(self.verb(SIMPLE), self.tense())
            clause.extraposed = GERMAN_COMMA + conjunction + inner.phrase("subordinate")
        elif verb is BEING and gap != "place":
            if subject not in lexicon.PLACES and self.chance(0.25):
                clause.complement = self.place()
            else:
                degree = self.words(self.pick(lexicon.DEGREES)) if self.chance(0.4) else EMPTY
                clause.complement = degree + self.words(self.pick(lexicon.ADJECTIVES[subject]))

    def adverbials(self, clause: Clause, gap: str, light: bool, plain: bool) -> None:
        """Add what the verb may have; adverbs of frequency only if the clause has no negation (`plain`)."""
        frame = clause.verb.frame
        if frame.adjunct and self.chance(0.25):
            clause.adjunct = self.adjunct(self.pick(frame.adjunct), clause.person)
        if frame.place and gap != "place" and self.chance(0.25):
            clause.place = self.place()
        if gap != "time":
            if not light and self.chance(0.3):
                clause.time = self.time(clause.tense.times)
            elif plain and self.chance(0.15):
                clause.frequency = self.words(self.pick(lexicon.FREQUENCIES))

    def adjunct(self, kind: str, subject: int) -> Phrase:
        """Return how, with whom or for whom something is done."""
        if kind == "manner":
            return self.words(self.pick(lexicon.MANNERS))
        if kind == "beneficiary":
            return self.prepositional("für", "for", self.object("accusative", ("person",), DEFINITE, subject))
        if self.chance(0.25):
            return self.prepositional("ohne", "without", self.object("accusative", ("person",), DEFINITE, subject))
        return self.prepositional("mit", "with", self.object("dative", ("person",), DEFINITE, subject))

    def with_relative(self, head: Nominal) -> Nominal:
        """Return a noun phrase, sometimes with a relative clause."""
        if head.form != "noun" or not BY_SUBJECT.get(head.kind) or not self.chance(0.08):
            return head
        concept, living = (self.concept(),), head.kind == "person"
        if BY_OBJECT[head.kind] and self.chance(0.4):
            relative = "d" + ARTICLE["accusative", head.gender]
            # The subject is not sie or a noun: die Frau, die sie sieht, could be either.
            subject = self.pronoun("nominative", avoid=(2, 4))
            clause = self.clause(self.pick(BY_OBJECT[head.kind]), self.tense(), subject, gap="accusative", light=True)
            clause.front = Phrase((Token(relative, concept),), (Token("whom" if living else "that", concept),))
        else:
            relative = "d" + ARTICLE["nominative", head.gender]
            pronoun = Phrase((Token(relative, concept),), (Token("who" if living else "that", concept),))
            subject = Nominal(pronoun, head.person, head.kind, head.gender)
            clause = self.clause(self.verb(BY_SUBJECT[head.kind]), self.tense(), subject, light=True)
        inner = clause.phrase("subordinate")
        phrase = head.phrase + Phrase((COMMA, *inner.german, COMMA), inner.english)
        return Nominal(phrase, head.person, head.kind, head.gender)


def derive(random: Random) -> Pair:
    """Return a sentence pair of 4 to 25 words in each language."""
    while True:
        pair = write(*Grammar(random).sentence())
        lengths = len(pair.german_spans), len(pair.english_spans)
        if min(lengths) >= SHORTEST and max(lengths) <= LONGEST:
            return pair


def write(phrase: Phrase, mark: str) -> Pair:
    """Return a sentence as one writes it in either language, its words linked where they share a concept."""
    german, german_spans, german_concepts = _line(phrase.german, mark)
    english, english_spans, english_concepts = _line(phrase.english, mark)
    positions: dict[int, list[int]] = {}
    for j, concepts in enumerate(english_concepts):
        for concept in concepts:
            positions.setdefault(concept, []).append(j)
    links = frozenset(
        (i, j) for i, concepts in enumerate(german_concepts) for concept in concepts for j in positions.get(concept, ())
    )
    return Pair(german, english, german_spans, english_spans, links)


def _line(tokens: Iterable[Token], mark: str) -> tuple[str, tuple[Span, ...], list[tuple[int, ...]]]:
    """Return the line, the spans of its words, and their concepts.

    Where two commas meet, or a comma the final mark, one comma is too many.
    """
    line, comma = "", False
    spans: list[Span] = []
    concepts: list[tuple[int, ...]] = []
    for token in tokens:
        if token is COMMA:
            comma = True
            continue
        line += (", " if comma else " ") if line else ""
        comma = False
        spans.append((len(line), len(line) + len(token.text)))
        concepts.append(token.concepts)
        line += token.text
    return line[0].upper() + line[1:] + mark, tuple(spans), concepts
