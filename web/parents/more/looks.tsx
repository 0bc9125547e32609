// Who looked: every look at the child's place and every recording that somebody heard.
import type { HomeChild } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { Empty, Problem, Skeleton, Top } from "../../shared/ui/parts.tsx";
import { clockTime, dayName, t } from "../../shared/words.ts";
import { familyOf } from "../home/state.ts";
import { useRead } from "../read.ts";

export function Looks({ child }: { child: HomeChild }) {
  const { child_id, family_id } = child.child;
  const zone = familyOf(child)?.timezone ?? null;
  const { value, problem } = useRead(async () => {
    const { looks } = await ask("GET /v1/children/{child_id}/looks", { path: { child_id }, query: {} });
    const { guardians } = await ask("GET /v1/families/{family_id}/guardians", { path: { family_id } });
    return { looks, names: new Map(guardians.map((one) => [one.guardian_id, one.display_name])) };
  }, [child_id]);
  return (
    <main class="screen">
      <Top title={t("looks.title")} />
      <p class="soft">{t("looks.about")}</p>
      {problem && <Problem>{problem}</Problem>}
      {!value && !problem && <Skeleton />}
      {value?.looks.length === 0 && <Empty>{t("looks.none")}</Empty>}
      <ul class="rows">
        {value?.looks.map((one) => (
          <li class="row" key={one.seq}>
            <span>
              {t(`look.${one.what}`, { who: (one.guardian_id && value.names.get(one.guardian_id)) || t(`by.${one.by}`) })}
              <small>{dayName(one.at, zone)} {clockTime(one.at, zone)}</small>
            </span>
          </li>
        ))}
      </ul>
    </main>
  );
}
