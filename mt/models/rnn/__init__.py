"""The recurrent encoder-decoder: encoder, cells, wirings, lexical model, and the model made of them."""
