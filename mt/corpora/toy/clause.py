"""Clauses of the toy grammar: the order of their constituents and the forms of their verbs, one language at a time."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from mt.corpora.toy.morphology import THIRD, Modal, Verb, third_english
from mt.corpora.toy.phrases import EMPTY, Phrase, Token
from mt.corpora.toy.verbs import AUXILIARIES, BE, BEING

Order = Literal["question", "main", "subordinate"]


class Tense(NamedTuple):
    """Present or past, with or without a modal verb."""

    past: bool
    modal: Modal | None = None

    @property
    def times(self) -> str:
        """Which times of the lexicon go with it."""
        return "past" if self.past else "future" if self.modal else "present"


@dataclass(slots=True)
class Clause:
    """The constituents of a clause, not yet in order; all but verb and subject may be empty."""

    verb: Verb
    tense: Tense
    person: int
    subject: Phrase
    finite: int
    """The concept of tense and person; "does" or "hat" expresses nothing else."""
    meaning: int
    """The concept of the verb."""
    front: Phrase = EMPTY
    pronouns: Phrase = EMPTY
    objects: Phrase = EMPTY
    negation: Phrase = EMPTY
    frequency: Phrase = EMPTY
    adjunct: Phrase = EMPTY
    place: Phrase = EMPTY
    complement: Phrase = EMPTY
    time: Phrase = EMPTY
    extraposed: Phrase = EMPTY

    def phrase(self, order: Order = "main") -> Phrase:
        """Return the clause in both languages."""
        return Phrase(self._german(order), self._english(order == "question"))

    def _german(self, order: Order) -> tuple[Token, ...]:
        finite, final = self._german_verb(order)
        middle = [
            token
            for phrase in (
                self.pronouns,
                self.time,
                self.frequency,
                self.objects,
                self.negation,
                self.adjunct,
                self.place,
                self.complement,
            )
            for token in phrase.german
        ]
        subject, front, rest = self.subject.german, self.front.german, self.extraposed.german
        if order == "subordinate":
            return (*front, *subject, *middle, *final, *finite, *rest)
        if front or order == "question":
            return (*front, *finite, *subject, *middle, *final, *rest)
        return (*subject, *finite, *middle, *final, *rest)

    def _german_verb(self, order: Order) -> tuple[tuple[Token, ...], tuple[Token, ...]]:
        """Return the finite form, and the rest of the verb, which goes to the end of the clause."""
        verb, tense, person = self.verb, self.tense, self.person
        if tense.modal:
            forms = tense.modal.preterite if tense.past else tense.modal.present
            return (Token(forms[person], (self.finite,)),), (Token(verb.prefix + verb.infinitive, (self.meaning,)),)
        if tense.past and not verb.preterite:
            auxiliary = AUXILIARIES[verb.auxiliary][person]
            return (Token(auxiliary, (self.finite,)),), (Token(verb.participle, (self.meaning,)),)
        form, both = (verb.preterite if tense.past else verb.present)[person], (self.finite, self.meaning)
        if order == "subordinate" or not verb.prefix:
            return (Token(verb.prefix + form, both) if order == "subordinate" else Token(form, both),), ()
        return (Token(form, both),), (Token(verb.prefix, (self.meaning,)),)

    def _english(self, question: bool) -> tuple[Token, ...]:
        auxiliary, main = self._english_verb(question or bool(self.negation))
        negation = self.negation.english
        if negation and not question and auxiliary[0].text == "can":
            auxiliary, negation = (Token("cannot", (self.finite, *negation[0].concepts)),), ()
        opening = (*auxiliary, *self.subject.english) if question else (*self.subject.english, *auxiliary)
        rest = [
            token
            for phrase in (
                self.pronouns,
                self.objects,
                self.complement,
                self.adjunct,
                self.place,
                self.time,
                self.extraposed,
            )
            for token in phrase.english
        ]
        return (*self.front.english, *opening, *negation, *self.frequency.english, *main, *rest)

    def _english_verb(self, supported: bool) -> tuple[tuple[Token, ...], tuple[Token, ...]]:
        """Return the auxiliary, if there is one or must be one (`supported`), and the other verbs."""
        verb, tense, third = self.verb, self.tense, self.person == THIRD
        finite, meaning, both = (self.finite,), (self.meaning,), (self.finite, self.meaning)
        particle = (Token(verb.particle, meaning),) if verb.particle else ()
        do = (Token("did" if tense.past else "does" if third else "do", finite),)
        infinitive = (Token(verb.english, meaning), *particle)
        if tense.modal:
            modal, past = tense.modal.english, tense.modal.english_past
            if not tense.modal.full:
                return (Token(past if tense.past else modal, finite),), infinitive
            if supported:
                return do, (Token(modal, finite), Token("to", finite), *infinitive)
            form = past if tense.past else third_english(modal) if third else modal
            return (), (Token(form, finite), Token("to", finite), *infinitive)
        if verb is BEING:
            return (Token(BE[tense.past][self.person], both),), ()
        if supported:
            return do, infinitive
        form = verb.english_past if tense.past else third_english(verb.english) if third else verb.english
        return (), (Token(form, both), *particle)
