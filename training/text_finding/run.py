"""What `ptfan train-text` trains: the text network."""

from __future__ import annotations

from ptfan.training.helpers.subject import HelperSubject
from ptfan.training.model.text_network import TextNetwork
from ptfan.training.text_finding.config import TextTrainConfig
from ptfan.training.text_finding.data import TextDataset
from ptfan.training.text_finding.learner import TextLearner

__all__ = ["TextSubject"]


class TextSubject(HelperSubject[TextTrainConfig]):
    """The text network, on clips with captions."""

    config = TextTrainConfig
    network = TextNetwork
    learns = TextLearner
    dataset = TextDataset
