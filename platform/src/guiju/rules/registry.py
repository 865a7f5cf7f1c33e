"""Every check by the name that packs use.

The checks themselves know nothing of this list, so that one can build on another.
"""

from __future__ import annotations

from collections.abc import Mapping

from guiju.rules.checks.absence import AbsenceLadder, AbsenceMonths, Unexcused
from guiju.rules.checks.agenda import Agenda, Items
from guiju.rules.checks.all_kinds import AllKinds
from guiju.rules.checks.appraised import Appraised
from guiju.rules.checks.base import Check
from guiju.rules.checks.birthdays import Birthdays
from guiju.rules.checks.by_document import ByDocument
from guiju.rules.checks.cap import Cap
from guiju.rules.checks.case_papers import CasePapers
from guiju.rules.checks.cases import CaseHandling, CaseLadder, CaseReply, CaseRights, CaseTerm
from guiju.rules.checks.checklist import Documents, Fields, Steps
from guiju.rules.checks.combine import Combine
from guiju.rules.checks.components import Components
from guiju.rules.checks.configuration import ForbiddenSettings, Layout, SingleUnit
from guiju.rules.checks.convener import Convener
from guiju.rules.checks.correction_reports import CommitmentReports, RectificationReport
from guiju.rules.checks.count import Count
from guiju.rules.checks.decided_at import DecidedAt
from guiju.rules.checks.departure import SelfDeparture
from guiju.rules.checks.dues import DuesBase, DuesPaid
from guiju.rules.checks.each_person import EachPerson
from guiju.rules.checks.filing import Filing
from guiju.rules.checks.fixed_day import FixedDay
from guiju.rules.checks.follow_up import FollowUp
from guiju.rules.checks.form import Form
from guiju.rules.checks.founding import Founding
from guiju.rules.checks.grades import Exemption, GradeBasis, ScaleCheck, Ungraded
from guiju.rules.checks.held_by import HeldBy
from guiju.rules.checks.holders import Holders
from guiju.rules.checks.hours import Hours
from guiju.rules.checks.joint import Joint
from guiju.rules.checks.leading_cadres import LeaderAttendance, LeaderLeave
from guiju.rules.checks.life_cycle import LifeCycle
from guiju.rules.checks.major_matters import AskedFirst, Referred
from guiju.rules.checks.matters import Prior, Reserved
from guiju.rules.checks.member_count import MemberCount
from guiju.rules.checks.member_states import MemberStates
from guiju.rules.checks.order import Order
from guiju.rules.checks.orders import Orders
from guiju.rules.checks.pairs_before import PairsBefore
from guiju.rules.checks.participants import Participants
from guiju.rules.checks.presence import Presence
from guiju.rules.checks.programme import Programme
from guiju.rules.checks.quorum import Quorum
from guiju.rules.checks.rectification import RectificationClosing, RectificationList
from guiju.rules.checks.register import Register
from guiju.rules.checks.response import Response
from guiju.rules.checks.same_theme import SameTheme
from guiju.rules.checks.scheme import Scheme
from guiju.rules.checks.secretaries import Headship, Standing
from guiju.rules.checks.sequence import After
from guiju.rules.checks.spacing import Spacing
from guiju.rules.checks.standards import (
    StandardClosing,
    StandardKept,
    StandardLedger,
    StandardMethod,
    StandardTarget,
)
from guiju.rules.checks.structure import Structure
from guiju.rules.checks.subordinates import Subordinates
from guiju.rules.checks.talk_mode import TalkMode
from guiju.rules.checks.talk_record import TalkRecord
from guiju.rules.checks.talk_relations import TalkRelations
from guiju.rules.checks.talks import Talks
from guiju.rules.checks.team_meeting import TeamMeeting
from guiju.rules.checks.term import Term
from guiju.rules.checks.training import SecretaryTraining
from guiju.rules.checks.vote import Vote
from guiju.rules.checks.weak_list import WeakList
from guiju.rules.checks.window import Window

#: A check by its name.
CHECKS: Mapping[str, Check] = {
    check.name: check
    for check in (
        AbsenceLadder(),
        AbsenceMonths(),
        After(),
        Agenda(),
        AllKinds(),
        Appraised(),
        AskedFirst(),
        Birthdays(),
        ByDocument(),
        Cap(),
        CaseHandling(),
        CaseLadder(),
        CasePapers(),
        CaseReply(),
        CaseRights(),
        CaseTerm(),
        Combine(),
        CommitmentReports(),
        Components(),
        Convener(),
        Count(),
        DecidedAt(),
        Documents(),
        DuesBase(),
        DuesPaid(),
        EachPerson(),
        Exemption(),
        Fields(),
        Filing(),
        FixedDay(),
        FollowUp(),
        ForbiddenSettings(),
        Form(),
        Founding(),
        GradeBasis(),
        Headship(),
        HeldBy(),
        Holders(),
        Hours(),
        Items(),
        Joint(),
        Layout(),
        LeaderAttendance(),
        LeaderLeave(),
        LifeCycle(),
        MemberCount(),
        MemberStates(),
        Order(),
        Orders(),
        PairsBefore(),
        Participants(),
        Presence(),
        Prior(),
        Programme(),
        Quorum(),
        RectificationClosing(),
        RectificationList(),
        RectificationReport(),
        Referred(),
        Register(),
        Reserved(),
        Response(),
        SameTheme(),
        ScaleCheck(),
        Scheme(),
        SecretaryTraining(),
        SelfDeparture(),
        SingleUnit(),
        Spacing(),
        StandardClosing(),
        StandardKept(),
        StandardLedger(),
        StandardMethod(),
        StandardTarget(),
        Standing(),
        Steps(),
        Structure(),
        Subordinates(),
        TalkMode(),
        TalkRecord(),
        TalkRelations(),
        Talks(),
        TeamMeeting(),
        Term(),
        Unexcused(),
        Ungraded(),
        Vote(),
        WeakList(),
        Window(),
    )
}
