# What zsh reads in wr shell: all that it reads without wr, then its history
# and prompt.
ZDOTDIR=$WR_ZDOTDIR
unset WR_ZDOTDIR
[[ ! -r $ZDOTDIR/.zshrc ]] || . $ZDOTDIR/.zshrc

HISTFILE=${_wr:h}/zsh_history
HISTSIZE=10000
SAVEHIST=100000
unset _wr
setopt inc_append_history prompt_subst
if [[ -n ${NO_COLOR-} ]]; then
	PROMPT='${WR_PROMPT//\%/%%} %~%# '
else
	PROMPT='%B%F{cyan}${WR_PROMPT//\%/%%}%f%b %F{blue}%~%f%# '
	(( $+aliases[ls] )) || alias ls='ls --color=auto'
	(( $+aliases[grep] )) || alias grep='grep --color=auto'
fi
