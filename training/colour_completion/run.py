"""What `ptfan train-colour` trains: the colour completion network."""

from __future__ import annotations

from ptfan.training.colour_completion.config import ColourTrainConfig
from ptfan.training.colour_completion.data import ColourDataset
from ptfan.training.colour_completion.learner import ColourLearner
from ptfan.training.helpers.subject import HelperSubject
from ptfan.training.model.colour_completer import ColourCompleter

__all__ = ["ColourSubject"]


class ColourSubject(HelperSubject[ColourTrainConfig]):
    """The colour completion network, on clips with holes."""

    config = ColourTrainConfig
    network = ColourCompleter
    learns = ColourLearner
    dataset = ColourDataset
