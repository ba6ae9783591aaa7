# Read by zsh in wr shell, which finds the user's own files where they are.
_wr=$ZDOTDIR
ZDOTDIR=$WR_ZDOTDIR
[[ ! -r $ZDOTDIR/.zshenv ]] || . $ZDOTDIR/.zshenv
WR_ZDOTDIR=$ZDOTDIR
ZDOTDIR=$_wr
