"""The words of the toy grammar but its verbs, as tables: each German word has one English translation, and vice versa.

Entries of a table are separated by commas. Where a phrase is given in both languages, words pair up by position, and an
underscore joins the words that translate one word: "am Abend = in_the evening".
"""

from collections.abc import Iterator

from mt.corpora.toy import morphology as form
from mt.corpora.toy.morphology import ARTICLE, EIN, MIXED, NONE, STRONG, WEAK, Determiner, Gender, Noun, Preposition


def entries(text: str) -> list[str]:
    """Return what stands between commas."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Read "german = english, ..."."""
    halves = (entry.split("=") for entry in entries(text))
    return tuple((german.strip(), english.strip()) for german, english in halves)


def _nouns(kind: str, text: str) -> Iterator[Noun]:
    """Read "gender singular plural english [plural], ..."; gender w is a weak masculine."""
    for entry in entries(text):
        gender, german, german_plural, english, *irregular = entry.split()
        plural = irregular[0] if irregular else form.third_english(english)
        strong: Gender = "f" if gender == "f" else "n" if gender == "n" else "m"
        yield Noun(german, german_plural, strong, gender == "w", english, plural, kind)


NOUNS = (
    *_nouns("person", """
        m Mann Männer man men, f Frau Frauen woman women, n Kind Kinder child children, w Junge Jungen boy,
        n Mädchen Mädchen girl, m Lehrer Lehrer teacher, m Arzt Ärzte doctor, w Bauer Bauern farmer,
        w Nachbar Nachbarn neighbour, m Freund Freunde friend, m Bruder Brüder brother, f Schwester Schwestern sister,
        f Mutter Mütter mother, m Vater Väter father, m Sohn Söhne son, f Tochter Töchter daughter,
        f Großmutter Großmütter grandmother, m Bäcker Bäcker baker, m Koch Köche chef, m Dieb Diebe thief thieves,
        w Soldat Soldaten soldier, m Schüler Schüler pupil, m König Könige king, f Königin Königinnen queen,
        m Gast Gäste guest, m Sänger Sänger singer, m Maler Maler painter, m Gärtner Gärtner gardener,
        w Polizist Polizisten policeman policemen, m Jäger Jäger hunter, f Hexe Hexen witch,
        m Zauberer Zauberer wizard, m Ritter Ritter knight, f Prinzessin Prinzessinnen princess"""),
    *_nouns("animal", """
        m Hund Hunde dog, f Katze Katzen cat, n Pferd Pferde horse, f Kuh Kühe cow, n Schwein Schweine pig,
        m Vogel Vögel bird, w Bär Bären bear, w Löwe Löwen lion, w Elefant Elefanten elephant,
        f Maus Mäuse mouse mice, m Wolf Wölfe wolf wolves, m Fuchs Füchse fox, f Schlange Schlangen snake,
        m Frosch Frösche frog, m Esel Esel donkey"""),
    *_nouns("thing", """
        f Lampe Lampen lamp, m Stuhl Stühle chair, m Ball Bälle ball, n Messer Messer knife knives,
        m Teller Teller plate, m Hut Hüte hat, n Hemd Hemden shirt, m Ring Ringe ring, n Fahrrad Fahrräder bicycle,
        f Blume Blumen flower, m Spiegel Spiegel mirror, m Regenschirm Regenschirme umbrella, f Geige Geigen violin,
        m Hammer Hämmer hammer, f Kerze Kerzen candle, m Schlüssel Schlüssel key, n Boot Boote boat, n Auto Autos car,
        f Flasche Flaschen bottle"""),
    *_nouns("text", """
        n Buch Bücher book, m Brief Briefe letter, n Lied Lieder song, n Gedicht Gedichte poem,
        f Geschichte Geschichten story"""),
    *_nouns("container", """
        f Tasche Taschen bag, m Koffer Koffer suitcase, f Schachtel Schachteln box, m Schrank Schränke cupboard,
        f Tür Türen door, n Fenster Fenster window"""),
    *_nouns("food", """
        m Apfel Äpfel apple, n Ei Eier egg, f Tomate Tomaten tomato, m Kuchen Kuchen cake,
        n Brötchen Brötchen roll"""),
    *_nouns("mass", """
        n Wasser - water, f Milch - milk, m Kaffee - coffee, m Tee - tea, n Brot - bread, m Käse - cheese,
        f Suppe - soup"""),
    *_nouns("inside", """
        f Stadt Städte city, n Dorf Dörfer village, n Haus Häuser house, f Schule Schulen school,
        f Kirche Kirchen church, m Garten Gärten garden, m Wald Wälder forest, m Park Parks park,
        m Bahnhof Bahnhöfe station, n Museum Museen museum, n Hotel Hotels hotel, f Küche Küchen kitchen,
        n Zimmer Zimmer room, n Theater Theater theatre, m Turm Türme tower, m Laden Läden shop"""),
    *_nouns("surface", """
        m Tisch Tische table, f Brücke Brücken bridge, n Dach Dächer roof, f Wiese Wiesen meadow,
        f Insel Inseln island, m Berg Berge mountain, n Bett Betten bed, f Straße Straßen street"""),
    *_nouns("landmark", """
        m Baum Bäume tree, f Mauer Mauern wall, m Brunnen Brunnen fountain, m Fluss Flüsse river"""),
)  # fmt: skip

LIVING = ("person", "animal")
THINGS = ("thing", "text", "container")
PLACES = ("inside", "surface", "landmark")

COLOURS = "rot = red, blau = blue, grün = green, gelb = yellow, schwarz = black, weiß = white, braun = brown"
_TRAITS = """groß = big, klein = small, alt = old, jung = young, müde = tired, hungrig = hungry, krank = sick,
    gesund = healthy, stark = strong, faul = lazy, mutig = brave, dick = fat, wütend = angry, klug = clever,"""
_LOOKS = """groß = big, klein = small, alt = old, neu = new, schön = beautiful, hässlich = ugly,"""
ADJECTIVES = {
    "person": pairs(_TRAITS + """traurig = sad, glücklich = happy, freundlich = friendly, dumm = stupid, reich = rich,
        arm = poor, berühmt = famous, stolz = proud, nett = nice"""),
    "animal": pairs(_TRAITS + COLOURS),
    "thing": pairs(_LOOKS + COLOURS + """, schwer = heavy, leicht = light, billig = cheap, schmutzig = dirty,
        wertvoll = valuable, nass = wet, trocken = dry"""),
    "text": pairs(_LOOKS + "lang = long, kurz = short, wertvoll = valuable, lustig = funny"),
    "container": pairs(_LOOKS + COLOURS + ", schwer = heavy, schmutzig = dirty"),
    "food": pairs("groß = big, klein = small, süß = sweet, frisch = fresh, warm = warm, kalt = cold"),
    "mass": pairs("frisch = fresh, warm = warm, kalt = cold, heiß = hot, süß = sweet"),
    "inside": pairs(_LOOKS + "gefährlich = dangerous, leer = empty, voll = full, still = quiet"),
    "surface": pairs(_LOOKS + "breit = wide, nass = wet, trocken = dry, schmutzig = dirty"),
    "landmark": pairs(_LOOKS + "gefährlich = dangerous, berühmt = famous"),
}  # fmt: skip

THE = Determiner("d", ARTICLE, WEAK, "the", "the", "sp")
A = Determiner("ein", EIN, MIXED, "a", "", "s")
NO = Determiner("kein", EIN, MIXED, "no", "no", "sp")
BARE = Determiner("", NONE, STRONG, "", "", "p")
THIS = Determiner("dies", STRONG, WEAK, "this", "these", "sp")
POSSESSIVES = tuple(Determiner(german, EIN, MIXED, english, english, "sp") for german, english in pairs(
    "mein = my, dein = your, sein = his, ihr = her, unser = our"))  # fmt: skip
QUANTIFIERS = (
    Determiner("jed", STRONG, WEAK, "every", "", "s"),
    Determiner("all", STRONG, WEAK, "", "all", "p"),
    *(Determiner(german, STRONG, STRONG, "", english, "p") for german, english in pairs(
        "viel = many, einig = some, wenig = few")),
)  # fmt: skip
NUMBERS = pairs("""zwei = two, drei = three, vier = four, fünf = five, sechs = six, sieben = seven, acht = eight,
    neun = nine, zehn = ten""")
COUNTS = tuple(Determiner(german, NONE, STRONG, "", english, "p") for german, english in NUMBERS)

PRONOUNS = tuple(tuple(row.split()) for row in (
    # nominative, accusative, dative, English subject and object, number of the person. "sie" as an object is her:
    # them has no accusative here, since the two could not be told apart.
    "ich mich mir I me 0", "du dich dir you you 1", "er ihn ihm he him 2",
    "sie sie ihr she her 2", "wir uns uns we us 3", "sie - ihnen they them 4",
))  # fmt: skip
NAMES = ("Anna", "Peter", "Maria", "Paul", "Lena", "Max", "Julia", "Felix")
CITIES = pairs("""Berlin = Berlin, Wien = Vienna, Rom = Rome, Paris = Paris, München = Munich, Prag = Prague,
    Köln = Cologne, London = London""")

STATIC = (
    Preposition("in", "dative", "in", ("inside",)),
    Preposition("in", "dative", "in", ("inside",)),
    Preposition("auf", "dative", "on", ("surface",)),
    Preposition("hinter", "dative", "behind", ("inside", "landmark")),
    Preposition("vor", "dative", "in_front_of", ("inside", "landmark")),
    Preposition("neben", "dative", "next_to", PLACES),
)
DIRECTIONS = (
    Preposition("in", "accusative", "into", ("inside",)),
    Preposition("auf", "accusative", "onto", ("surface",)),
    Preposition("zu", "dative", "to", PLACES),
    Preposition("aus", "dative", "out_of", ("inside",)),
    Preposition("durch", "accusative", "through", ("inside",)),
    Preposition("um", "accusative", "around", ("inside", "landmark")),
)

MANNERS = pairs("""langsam = slowly, schnell = quickly, leise = quietly, vorsichtig = carefully, heimlich = secretly,
    allein = alone, fröhlich = cheerfully, sofort = immediately, gern = gladly, wieder = again""")
FREQUENCIES = pairs(
    "immer = always, oft = often, nie = never, manchmal = sometimes, selten = rarely, meistens = usually"
)
DEGREES = pairs("sehr = very, zu = too, wirklich = really")
ATTITUDES = pairs("vielleicht = perhaps, leider = unfortunately, trotzdem = nevertheless, natürlich = of_course")
_WEEKDAYS = """am Montag = on Monday, am Dienstag = on Tuesday, am Mittwoch = on Wednesday, am Donnerstag = on Thursday,
    am Freitag = on Friday, am Samstag = on Saturday, am Sonntag = on Sunday,"""
TIMES = {
    "present": pairs("""heute = today, jetzt = now, jeden Tag = every day, jeden Montag = every Monday,
        am Abend = in_the evening, am Morgen = in_the morning, im Sommer = in summer, im Winter = in winter"""),
    "past": pairs(_WEEKDAYS + """heute = today, gestern = yesterday, letzte Woche = last week, letztes Jahr = last year,
        letzten Monat = last month, am Abend = in_the evening, letzten Sommer = last summer"""),
    "future": pairs(_WEEKDAYS + """heute = today, morgen = tomorrow, bald = soon, nächste Woche = next week,
        nächstes Jahr = next year, nächsten Monat = next month, am Morgen = in_the morning"""),
}  # fmt: skip
SPANS_OF_TIME = pairs("Stunden = hours, Tagen = days, Wochen = weeks, Monaten = months, Jahren = years")

CONJUNCTIONS = {
    "any": pairs("weil = because, obwohl = although"),
    "same": pairs("während = while, bevor = before, bis = until, sobald = as_soon_as, solange = as_long_as"),
    "present": pairs("wenn = if, falls = in_case"),
    "past": pairs("als = when"),
    "purpose": pairs("damit = so_that"),
}
"""By the tenses of main and subordinate clause: any, the same, both present, both past, a purpose with können."""
COORDINATORS = pairs("und = and, aber = but, oder = or")
COMPLEMENTISERS = dict(pairs("dass = that, ob = whether"))
