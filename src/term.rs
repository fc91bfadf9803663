//! L3: the terminal of a shell tab, without a screen and without a socket: what a container
//! writes becomes a grid of cells, what a user presses becomes bytes.
