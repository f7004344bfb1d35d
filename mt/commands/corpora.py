"""`mt corpora`: what there is to train on."""


def corpora() -> None:
    """List the corpora: size, languages, licence, citation, where from, and whether here already."""
    from mt.corpora import describe_corpora

    print(describe_corpora())
