// One survey: its questions, the comparison in matched pairs, answers from a list, names for interviewers.
import { useState } from "preact/hooks";
import { about, ask, Button, Confirm, dateName, Head, type Key, ListTaker, Loaded, may, numberName, Pager, PAGE_ROWS, percentName, Problem, Refused, site, Switch, t, Table, useAsked, useBusy, usePages } from "../kit.ts";
import type { Comparison, SurveyResponse } from "../api-types.ts";
import { programmeServed } from "./surveys.tsx";

export function OneSurvey({ survey, onClose }: { survey: SurveyResponse; onClose: () => void }) {
  const path = { site_id: site.value?.site_id ?? "", survey_id: survey.survey_id };
  const questions = useAsked("GET /v1/staff/sites/{site_id}/surveys/{survey_id}/questions", { path });
  const labels = new Map(questions.answer?.questions.map((one) => [one.question, one.label]));
  return (
    <>
      <Head title={survey.name}>
        <Button icon="back" onClick={() => { about.value = ""; onClose(); }}>{t("action.back")}</Button>
      </Head>
      <p>{survey.published_at ? t("surveys.published", { at: dateName(survey.published_at) }) : t("surveys.unpublished")}</p>
      {survey.published_at && <Report survey_id={survey.survey_id} labels={labels} />}
      <h2>{t("surveys.questions")}</h2>
      <Loaded asked={questions} isEmpty={(answer) => answer.questions.length === 0}>
        {(answer) => (
          <Table
            caption={t("surveys.questions")} rows={answer.questions} keyOf={(one) => one.question}
            columns={[
              { title: t("surveys.key"), cell: (one) => <code>{one.question}</code> },
              { title: t("surveys.question"), cell: (one) => one.label },
              { title: t("surveys.kind"), cell: (one) => t(`survey_kind.${one.kind}` as Key) },
              { title: t("surveys.range"), cell: (one) => (one.least === null && one.most === null ? "" : `${one.least ?? ""}, ${one.most ?? ""}`) },
            ]}
          />
        )}
      </Loaded>
      {!survey.published_at && may("support families") && <Answers survey_id={survey.survey_id} />}
      {may("support families") && <Names survey_id={survey.survey_id} />}
      {!survey.published_at && programmeServed() && <Publish survey_id={survey.survey_id} onPublished={onClose} />}
    </>
  );
}

function Report({ survey_id, labels }: { survey_id: string; labels: Map<string, string> }) {
  const asked = useAsked("GET /v1/staff/sites/{site_id}/surveys/{survey_id}", { path: { site_id: site.value?.site_id ?? "", survey_id } });
  const number = (value: number, of: Comparison): string => (of.kind === "yes_no" ? percentName(value) : numberName(value, 1));
  const told = (one: Comparison, pick: "before" | "after"): string => (one.suppressed || !one[pick] ? t("usage.hidden") : number(one[pick].value, one));
  const difference = (one: Comparison): string => {
    if (one.suppressed || !one.difference) return t("usage.hidden");
    const { value, interval } = one.difference;
    return interval ? `${number(value, one)} (${number(interval.low, one)}; ${number(interval.high, one)})` : number(value, one);
  };
  return (
    <section class="stack">
      <h2>{t("surveys.report")}</h2>
      <p class="soft">{t("surveys.report_about")}</p>
      <Loaded asked={asked} isEmpty={(answer) => answer.comparisons.length === 0}>
        {(answer) => (
          <Table
            caption={t("surveys.report")} rows={answer.comparisons} keyOf={(one) => one.question} testId="comparisons"
            columns={[
              { title: t("surveys.question"), cell: (one) => labels.get(one.question) ?? one.question },
              { title: t("surveys.pairs"), cell: (one) => (one.suppressed ? t("usage.hidden") : one.matched), isNumber: true },
              { title: t("surveys.before"), cell: (one) => told(one, "before"), isNumber: true },
              { title: t("surveys.after"), cell: (one) => told(one, "after"), isNumber: true },
              { title: t("surveys.difference"), cell: difference, isNumber: true },
              { title: t("surveys.attrition"), cell: (one) => (one.attrition?.lost_share ? percentName(one.attrition.lost_share.value) : ""), isNumber: true },
            ]}
          />
        )}
      </Loaded>
    </section>
  );
}

function Answers({ survey_id }: { survey_id: string }) {
  const [correct, setCorrect] = useState(false);
  return (
    <section class="stack">
      <h2>{t("surveys.answers")}</h2>
      <Switch label={t("surveys.correct")} on={correct} onChange={setCorrect} />
      <ListTaker
        columns="family_code, wave (baseline, endline), ..."
        send={(list, dry_run) => ask("POST /v1/staff/sites/{site_id}/surveys/{survey_id}/answers", { path: { site_id: site.value?.site_id ?? "", survey_id }, query: { correct, dry_run }, body: list, headers: { "Content-Type": "application/octet-stream" } })}
      />
    </section>
  );
}

function Names({ survey_id }: { survey_id: string }) {
  const pages = usePages<string>();
  const [isOpen, setOpen] = useState(false);
  return (
    <section class="stack">
      <div class="choices start"><Button onClick={() => setOpen(!isOpen)}>{t("surveys.names")}</Button></div>
      {isOpen && <NameTable survey_id={survey_id} pages={pages} />}
    </section>
  );
}

function NameTable({ survey_id, pages }: { survey_id: string; pages: ReturnType<typeof usePages<string>> }) {
  const asked = useAsked("GET /v1/staff/sites/{site_id}/surveys/{survey_id}/families", { path: { site_id: site.value?.site_id ?? "", survey_id }, query: { limit: PAGE_ROWS, ...(pages.after ? { after: pages.after } : {}) } });
  return (
    <>
      <p class="soft">{t("surveys.names_about")}</p>
      <Loaded asked={asked} isEmpty={(answer) => answer.families.length === 0}>
        {(answer) => (
          <>
            <Table
              caption={t("surveys.names")} rows={answer.families} keyOf={(one) => one.family_code}
              columns={[{ title: t("families.code"), cell: (one) => one.family_code }, { title: t("surveys.name_of"), cell: (one) => <code>{one.pseudonym}</code> }]}
            />
            <Pager pages={pages} next={answer.next} />
          </>
        )}
      </Loaded>
    </>
  );
}

/** Asks twice: the first answer names how many families the report would include, and for which lists that holds. */
function Publish({ survey_id, onPublished }: { survey_id: string; onPublished: () => void }) {
  const [asks, setAsks] = useState<{ pairs: number; confirm: string } | null>(null);
  const { isBusy, problem, run } = useBusy();
  const send = (confirm: string | null): Promise<void> => run(async () => {
    try {
      await ask("POST /v1/staff/programmes/{programme_id}/surveys/{survey_id}/publish", { path: { programme_id: programmeServed() ?? "", survey_id }, query: { confirm } });
      onPublished();
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "survey_unconfirmed") throw error;
      setAsks({ pairs: Number(error.fields["pairs"]), confirm: String(error.fields["confirm"]) });
    }
  });
  return (
    <div class="stack">
      <div class="choices start"><Button kind="act" busy={isBusy} testId="publish" onClick={() => void send(null)}>{t("surveys.publish")}</Button></div>
      {problem && <Problem>{problem}</Problem>}
      {asks && (
        <Confirm title={t("surveys.publish")} yes={t("surveys.publish")} busy={isBusy} onYes={() => void send(asks.confirm)} onNo={() => setAsks(null)}>
          <p>{t("surveys.publish_about", { n: asks.pairs })}</p>
        </Confirm>
      )}
    </div>
  );
}
