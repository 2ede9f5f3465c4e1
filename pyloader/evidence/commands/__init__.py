"""What a single command does, judged by its program's name and its arguments.

`RULES` maps a program's plain name to the rules that read its arguments; most programs have none.
"""

from pyloader.evidence.commands.judge import RULES, about, assignment, escape_of, judge_redirection, judge_words

__all__ = ["RULES", "about", "assignment", "escape_of", "judge_redirection", "judge_words"]
